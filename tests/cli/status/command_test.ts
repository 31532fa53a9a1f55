import assert from "node:assert/strict";
import { join } from "node:path";
import { connect } from "../../../lib/connect.ts";
import { connectionOf } from "../../../lib/connection.ts";
import type { FleetStatus } from "../../../lib/fleet/status/fleet_status.ts";
import type { PresenceName } from "../../../lib/log/fleet/names.ts";
import type { PresenceReport } from "../../../lib/log/fleet/presence.ts";
import { feedsync, start, workspace } from "../feedsync.ts";
import { Running } from "../running.ts";
import { named, report } from "../../fleet/status/reports.ts";

/** A directory with a store, and what sees its status without a part in it. */
async function home(files: Record<string, string> = {}) {
  const { path, ...rest } = await workspace(files);
  const store = `file:${join(path, "store")}`;
  const run = (...args: string[]) =>
    feedsync(["status", ...args, "--store", "file:store"], { cwd: path });
  /** Writes a presence of so many seconds ago. */
  const present = async (
    name: PresenceName,
    { seconds = 5, ...changes }: Partial<PresenceReport> & { readonly seconds?: number } = {},
  ) => {
    await using sync = await connect({ store, server: "writer" });
    const now = Date.now() - seconds * 1000;
    await connectionOf(sync).parts!.log.fleet.writePresence(name, report(changes, now));
    await Deno.utime(join(path, "store", name.key), now / 1000, now / 1000);
  };
  return { path, run, present, ...rest };
}

/** The status that was printed as JSON. */
function statusIn({ stdout }: { readonly stdout: string }): FleetStatus {
  return JSON.parse(stdout);
}

/** Far longer than a server is waited for that is gone. */
const PATIENCE_MS = 30_000;

/** Looks until the status is as it should be. */
async function until(
  look: () => Promise<FleetStatus>,
  condition: (status: FleetStatus) => boolean,
): Promise<FleetStatus> {
  for (const end = performance.now() + PATIENCE_MS;;) {
    const status = await look();
    if (condition(status)) return status;
    assert.ok(performance.now() < end, JSON.stringify(status));
  }
}

Deno.test("status shows the servers that watch, as long as they do, and leaves no trace", async () => {
  await using place = await home();
  const watch = (server: string) =>
    new Running(["watch", "--server", server, "--store", "file:store", "--state", `${server}.db`], {
      cwd: place.path,
      env: { FEEDSYNC_POLL: "200ms", FEEDSYNC_PRESENCE: "1s" },
    });
  await using web1 = watch("web-1");
  await using web2 = watch("web-2");
  await Promise.all([web1.says(/Complete: 0 feeds/), web2.says(/Complete: 0 feeds/)]);
  const look = async () => statusIn(await place.run("--json"));
  const status = await until(look, ({ servers }) => servers.length === 2);
  assert.deepEqual(status.servers.map(({ server, state }) => [server, state]), [
    ["web-1", "running"],
    ["web-2", "running"],
  ]);
  assert.equal(status.servers[0].report?.pollSeconds, 0.2);
  assert.deepEqual(status.problems.filter(({ severity }) => severity === "problem"), []);
  const { code, stdout, stderr } = await place.run();
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^All is well: 2 servers/);
  const before = Array.from(Deno.readDirSync(place.path), ({ name }) => name).sort();
  web2.kill("SIGKILL");
  await web2.end();
  const { problems } = await until(look, ({ servers }) => servers[1]?.state === "gone");
  assert.deepEqual(problems.map(({ kind, servers }) => [kind, servers]), [["gone", ["web-2"]]]);
  await using again = watch("web-2");
  await again.says(/Complete: 0 feeds/);
  const back = await until(look, ({ problems }) => problems.length === 0);
  assert.equal(back.servers.length, 2);
  for (const server of [web1, again]) {
    server.kill("SIGTERM");
    await server.end();
  }
  const after = await place.run();
  assert.equal(after.code, 1);
  assert.match(
    after.stdout,
    /^1 problem: nobody\n.*\n\n✗ No server is seen in file:.*\n {2}→ Start /,
  );
  const left = Array.from(Deno.readDirSync(place.path), ({ name }) => name).sort();
  assert.deepEqual(left, before.filter((name) => left.includes(name)));
});

Deno.test("status ends with 1 and the reasons when something needs a person", async () => {
  await using place = await home();
  await place.present(named("web-1"));
  await place.present(named("web-2"), { deadLetters: { mirror: 2 } });
  await place.present(named("web-3"), { seconds: 3600 });
  const { code, stdout, stderr } = await place.run();
  assert.equal(code, 1, stderr);
  assert.match(stdout, /^2 problems: dead letters \(web-2\), gone \(web-3\)\n/);
  assert.match(stdout, /\nweb-3 +gone, 60 min ago /);
  assert.match(stdout, /\n✗ web-2: 2 dead letters \(mirror 2\)\n {2}→ On that server, run /);
  assert.equal(stdout.includes("\x1b"), false);
  const one = await place.run("web-1");
  assert.deepEqual([one.code, one.stderr], [0, ""]);
  assert.match(one.stdout, /^All is well: 1 server\n/);
  const json = await place.run("web-2", "--json");
  assert.equal(json.code, 1);
  const status = statusIn(json);
  assert.deepEqual(status.servers.map(({ server }) => server), ["web-2"]);
  assert.deepEqual(status.problems.map(({ kind }) => kind), ["dead-letters"]);
});

Deno.test("status -q says nothing while all is well, so that cron is silent", async () => {
  await using place = await home();
  await place.present(named("web-1"), { gaps: 1 });
  const well = await place.run("-q");
  assert.deepEqual([well.code, well.stdout, well.stderr], [0, "", ""]);
  await place.present(named("web-2"), { deadLetters: { mirror: 2 } });
  const { code, stdout } = await place.run("-q");
  assert.equal(code, 1);
  assert.match(stdout, /^1 problem: dead letters \(web-2\)\n.*\n\n✗ web-2: .*\n {2}→ .*\n$/);
});

Deno.test("status shows the consumers of all servers, or of one", async () => {
  await using place = await home();
  for (const server of ["web-1", "web-2"]) {
    const lag = { behindUpdates: 4, behindSeconds: 60, lastRead: null };
    await place.present(named(server), { consumers: [{ name: `reader-of-${server}`, ...lag }] });
  }
  assert.match(
    (await place.run()).stdout,
    /\nreader-of-web-1 .*\nreader-of-web-2 +web-2 +60 s \(4\)/,
  );
  assert.doesNotMatch((await place.run("web-2")).stdout, /reader-of-web-1/);
  const { consumers } = statusIn(await place.run("web-2", "--json"));
  assert.deepEqual(consumers.map(({ name }) => name), ["reader-of-web-2"]);
});

Deno.test("status of an unknown server ends with 65 and the names there are", async () => {
  await using place = await home();
  await place.present(named("web-1"));
  await place.present(named("mail"));
  const similar = await place.run("wbe-1");
  assert.deepEqual([similar.code, similar.stdout], [65, ""]);
  assert.match(
    similar.stderr,
    /^error: No server called "wbe-1" is seen in file:.* \(those that were stopped are not shown\), did you mean "web-1"\?/,
  );
  const other = await place.run("zzzzzzzz");
  assert.match(other.stderr, /, there are mail, web-1\n$/);
});

Deno.test("status --watch --json prints one object a line, and ends with 0 when it is stopped", async () => {
  await using place = await home();
  await place.present(named("web-1"), { deadLetters: { log: 1 } });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const args = ["status", "--watch", "--json", "--store", "file:store"];
    const process = start(args, { cwd: place.path });
    const output = process.stdout.pipeThrough(new TextDecoderStream());
    let printed = "";
    for await (const part of output.values({ preventCancel: true })) {
      printed += part;
      if (part.endsWith("\n")) break;
    }
    process.kill(signal);
    const [{ code }, stderr, rest] = await Promise.all([
      process.status,
      new Response(process.stderr).text(),
      Array.fromAsync(output),
      process.stdin.close(),
    ]);
    assert.deepEqual([code, stderr, rest], [0, "", []]);
    assert.equal(JSON.parse(printed).servers[0].server, "web-1");
  }
});

Deno.test("status without keys tells which presences it cannot read, with keys which are plain", async () => {
  await using place = await home({
    "feedsync.json": JSON.stringify({ encryption: { keys: "keys.json" }, unknownKeys: "warn" }),
  });
  await feedsync(["keygen", "keys.json"], { cwd: place.path });
  const args = ["watch", "--server", "web-1", "--store", "file:store", "--state", "web-1.db"];
  await using watching = new Running(args, { cwd: place.path, env: { FEEDSYNC_POLL: "200ms" } });
  await watching.says(/Complete: 0 feeds/);
  await place.present(named("web-2"));
  const look = async () => statusIn(await place.run("--json"));
  const { problems } = await until(look, ({ servers }) => servers.length === 2);
  const urgent = problems.filter(({ severity }) => severity === "problem");
  assert.deepEqual(urgent.map(({ kind, servers }) => [kind, servers]), [["plain", ["web-2"]]]);
  await Deno.remove(join(place.path, "feedsync.json"));
  const { code, stdout } = await place.run();
  assert.equal(code, 1);
  assert.match(
    stdout,
    /\n✗ web-1: the presence cannot be read: .* no keys are configured.*\n {2}→ Give/,
  );
});

Deno.test("a store that refuses or cannot be reached is no status, but a failure", async () => {
  await using place = await home({ store: "a file" });
  const { code, stdout } = await place.run();
  assert.notEqual(code, 0);
  assert.notEqual(code, 1);
  assert.equal(stdout, "");
});
