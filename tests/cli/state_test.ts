import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { feedsync, type RunOptions, workspace } from "./feedsync.ts";
import { Running } from "./running.ts";

/** A server in a directory of its own. */
async function serverWith(config: Record<string, unknown> = {}) {
  const home = await workspace({
    "feedsync.json": JSON.stringify({ server: "web-1", store: "file:store", ...config }),
  });
  const run = (args: string[], options: Partial<RunOptions> = {}) =>
    feedsync(args, { cwd: home.path, ...options });
  return {
    ...home,
    run,
    state: (...args: string[]) => run(["state", ...args]),
    async publish(content: string, ...args: string[]) {
      const all = ["publish", `https://example.com/${content}`, "-", ...args];
      const { code, stderr } = await run(all, { stdin: content });
      assert.equal(code, 0, stderr);
    },
    file: (name: string) => join(home.path, name),
    files: (directory: string) =>
      [...Deno.readDirSync(join(home.path, directory))].map(({ name }) => name).sort(),
  };
}

Deno.test("state tells what is wrong with its use, and does nothing", async () => {
  await using server = await serverWith();
  await server.publish("a");
  const cases: [string[], number, RegExp][] = [
    [[], 64, /show, check, backup, rename or move is missing/],
    [["shwo"], 64, /Unknown action "shwo" of state, did you mean "show"\?/],
    [["backup"], 64, /FILE is missing/],
    [["show", "x"], 64, /Unexpected argument "x"/],
    [["check", "--incomplete"], 64, /--incomplete is of move only/],
    [["rename", "Web 2"], 64, /Cannot call a server "Web 2": a name has 1 to 63 of a-z/],
    [["show", "--server", "web-7"], 78, /There is no state .*web-7\.db: use the --config/],
    [["backup", "feedsync.json"], 1, /feedsync\.json: that file is there; choose another one/],
  ];
  const before = server.files(".feedsync");
  for (const [args, code, message] of cases) {
    const outcome = await server.state(...args);
    assert.match(outcome.stderr, message);
    assert.deepEqual([outcome.code, outcome.stdout], [code, ""]);
  }
  assert.deepEqual(server.files(".feedsync"), before);
});

Deno.test("what each action did is printed as JSON, too", async () => {
  await using server = await serverWith();
  await server.publish("a");
  const state = server.file(".feedsync/web-1.db");
  const [shown] = (await server.state("show", "--json")).json();
  assert.deepEqual(
    [shown.state, shown.server, shown.store, shown.uploaded, shown.queued, shown.held],
    [state, "web-1", `file:${server.file("store")}`, 1, 0, []],
  );
  const [checked] = (await server.state("check", "--json")).json();
  assert.deepEqual(checked, { state, problems: [] });
  const [saved] = (await server.state("backup", "b.db", "--json")).json();
  const { size } = Deno.statSync(server.file("b.db"));
  const file = server.file("b.db");
  assert.deepEqual(saved, { state, server: "web-1", file, bytes: size, queued: 0 });
  const [renamed] = (await server.state("rename", "web-2", "--json")).json();
  const target = server.file(".feedsync/web-2.db");
  assert.deepEqual(renamed, { state: target, server: "web-2", former: "web-1", queued: 0 });
});

Deno.test("while a watch runs, rename and move refuse, show and backup do not", async () => {
  await using server = await serverWith();
  await server.publish("a");
  await using watch = new Running(["watch"], { cwd: server.path });
  await watch.says(/Complete/);
  for (const args of [["rename", "web-2"], ["move", "--store", "file:other"]]) {
    const { code, stderr } = await server.state(...args);
    assert.equal(code, 78);
    assert.match(stderr, /another process uses it, such as `feedsync watch`; stop it, then run/);
  }
  assert.match((await server.state("show")).stdout, /kB, and \d+ kB in its log\)/);
  assert.equal((await server.state("backup", "b.db")).code, 0);
  await server.publish("b");
  assert.equal((await server.state("show", "--json")).json()[0].server, "web-1");
});

Deno.test("a renamed server is refused under its old name, and told what to do under a new one", async () => {
  await using server = await serverWith({ state: "state.db" });
  await server.publish("a");
  const other = await server.run([
    "publish",
    "--remove",
    "https://example.com/a",
    "--server",
    "web-2",
  ]);
  assert.equal(other.code, 78);
  assert.match(
    other.stderr,
    /belongs to web-1; .* if web-1 is called web-2 now, run `feedsync state rename web-2`/,
  );
  const renamed = await server.state("rename", "web-2");
  assert.equal(renamed.code, 0, renamed.stderr);
  assert.match(
    renamed.stderr,
    /still called web-1 here: set 'server' to web-2 in the configuration/,
  );
  assert.ok(existsSync(server.file("state.db")), "a state that has a name of its own keeps it");
  await server.publish("b", "--server", "web-2");
  const again = await server.state("rename", "web-2", "--server", "web-2");
  assert.equal(again.stderr, "");
  assert.match(again.stdout, /^web-2 is the name already, in .*state\.db\n$/);
});

Deno.test("a server whose configuration has its new name already is renamed without a word about that", async () => {
  await using server = await serverWith({ state: "state.db" });
  await server.publish("a");
  const config = JSON.parse(await Deno.readTextFile(server.file("feedsync.json")));
  await Deno.writeTextFile(
    server.file("feedsync.json"),
    JSON.stringify({ ...config, server: "web-2" }),
  );
  const renamed = await server.state("rename", "web-2", "--server", "web-1");
  assert.deepEqual([renamed.code, renamed.stderr], [0, ""]);
});

Deno.test("a rename replaces no state, and finishes what a crash left", async () => {
  await using server = await serverWith();
  await server.publish("a");
  await server.publish("b", "--server", "web-2");
  const [web1, web2] = ["web-1", "web-2"].map((name) => server.file(`.feedsync/${name}.db`));
  const refused = await server.state("rename", "web-2");
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /there is a state .*web-2\.db already/);
  assert.equal((await server.state("show", "--json")).json()[0].server, "web-1");
  await Deno.remove(web2);
  // It ended after it had renamed the server, and given the file its second name.
  assert.equal((await server.state("rename", "web-2", "--state", web1)).code, 0);
  await Deno.link(web1, web2);
  const { code, stderr } = await server.state("rename", "web-2");
  assert.equal(code, 0, stderr);
  assert.ok(!existsSync(web1));
  await server.publish("c", "--server", "web-2");
});

Deno.test("a state goes with its store only where that holds what was there, or nothing is wanted", async () => {
  await using server = await serverWith();
  await server.publish("a");
  const refused = await server.state("move", "--store", "file:other");
  assert.equal(refused.code, 78);
  assert.match(
    refused.stderr,
    /lacks something that was in its store: It is empty\. Copy everything/,
  );
  const moved = await server.state("move", "--store", "file:other", "--incomplete", "--json");
  assert.equal(moved.code, 0, moved.stderr);
  assert.match(moved.stderr, /Moving although file:.*other lacks something: It is empty/);
  const [{ store, former }] = moved.json();
  assert.equal(store, `file:${server.file("other")}`);
  assert.deepEqual(former, { store: `file:${server.file("store")}` });
  const back = await server.run(["publish", "https://example.com/b", "--remove"]);
  assert.match(
    back.stderr,
    /belongs to file:.*other; .* run `feedsync state move`, or set 'movedFrom'/,
  );
  await Deno.mkdir(server.file("other/.tmp"), { recursive: true }); // It is wanted to be empty.
  await server.publish("b", "--store", "file:other");
  const again = await server.state("move", "--store", "file:other");
  assert.match(again.stdout, /^web-1 is in file:.*other already\n$/);
});

Deno.test("encrypted objects under another prefix are noticed before the state moves", async () => {
  await using server = await serverWith({ encryption: { keys: "keys.json" } });
  assert.equal((await server.run(["keygen", "keys.json"])).code, 0);
  await server.publish("a");
  const place = server.file("store/tail");
  const [stream] = [...Deno.readDirSync(place)].map(({ name }) => name);
  const [commit] = [...Deno.readDirSync(join(place, stream))].map(({ name }) => name);
  await new Deno.Command("cp", { args: ["-a", "store", "copy"], cwd: server.path }).output();
  assert.equal((await server.state("move", "--store", "file:copy")).code, 0);
  // As if it had been encrypted under another prefix.
  const path = server.file(`copy/tail/${stream}/${commit}`);
  const [head, ...rest] = (await Deno.readTextFile(path)).split(".");
  const header = JSON.parse(atob(head.replaceAll("-", "+").replaceAll("_", "/")));
  const other = btoa(JSON.stringify({ ...header, feedsync: `prod/${header.feedsync}` }));
  const changed = other.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  await Deno.writeTextFile(path, [changed, ...rest].join("."));
  await Deno.rename(server.file("copy"), server.file("copied"));
  const { code, stderr } = await server.state("move", "--store", "file:copied");
  assert.equal(code, 78);
  assert.match(stderr, /it was encrypted as .*prod\/tail.*must keep their names, prefix included/);
});
