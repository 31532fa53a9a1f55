import assert from "node:assert/strict";
import { join } from "node:path";
import { feedsync, workspace } from "./feedsync.ts";
import { Running } from "./running.ts";

const URLS = ["a", "b", "c"].map((path) => `https://example.com/${path}`);

/** A store with three feeds of web-1, and the configuration of web-2, which mirrors them. */
async function published(config: Record<string, unknown> = {}) {
  const shared = { store: "file:store" };
  const home = await workspace({
    "web-1.json": JSON.stringify({ ...shared, server: "web-1", state: "web-1.db" }),
    "web-2.json": JSON.stringify({
      ...shared,
      server: "web-2",
      state: "web-2.db",
      plugins: [["mirror", { directory: "mirror" }]],
      poll: "200ms",
      ...config,
    }),
    "fails.ts": `export default { name: "fails", onUpdate() { throw new Error("no") } };`,
  });
  const cwd = home.path;
  for (const url of URLS) {
    const args = ["publish", url, "--config", "web-1.json"];
    assert.equal((await feedsync(args, { cwd, stdin: url })).code, 0);
  }
  return {
    cwd,
    run: (...args: string[]) => feedsync([...args, "--config", "web-2.json"], { cwd }),
    mirrored: () =>
      [...Deno.readDirSync(join(cwd, "mirror"))].map(({ name }) => name)
        .filter((name) => name.endsWith(".feed")).sort(),
    wipe() {
      for (const { name } of Deno.readDirSync(join(cwd, "mirror"))) {
        Deno.removeSync(join(cwd, "mirror", name));
      }
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

Deno.test("restore brings back a mirror that was wiped, or one feed of it", async () => {
  await using home = await published();
  const watched = await home.run("watch", "--once");
  assert.equal(watched.code, 0, watched.stderr);
  assert.match(watched.stderr, /info +Complete: 3 feeds/);
  const before = home.mirrored();
  assert.equal(before.length, 3);

  home.wipe();
  const one = await home.run("restore", URLS[1], "--plugin", "mirror");
  assert.equal(one.code, 0, one.stderr);
  assert.match(one.stderr, /info +Restored 1 feed\n/);
  assert.equal(home.mirrored().length, 1);

  home.wipe();
  const all = await home.run("restore");
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stderr, /info +Restored 3 feeds\n/);
  assert.ok(!all.stderr.includes("\x1b"), "the progress is for terminals");
  assert.deepEqual(home.mirrored(), before);
  const again = await home.run("watch", "--once", "-v");
  assert.equal(again.code, 0, again.stderr);
});

Deno.test("restore works beside a watch with the same state, which goes on", async () => {
  await using home = await published();
  await using watching = new Running(["watch", "--config", "web-2.json"], { cwd: home.cwd });
  await watching.says(/Complete: 3 feeds/);
  home.wipe();
  const restored = await home.run("restore");
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal(home.mirrored().length, 3);
  const args = ["publish", "https://example.com/d", "--config", "web-1.json"];
  await feedsync(args, { cwd: home.cwd, stdin: "d" });
  await home.run("tail", "--once");
  watching.kill("SIGTERM");
  const { stderr } = await watching.end();
  assert.ok(!/ (error|warn) /.test(stderr), stderr);
});

Deno.test("restore needs no watch before it: what is only in the log comes as well", async () => {
  await using home = await published({ plugins: ["log"] });
  const { code, stdout, stderr } = await home.run("restore", "--json");
  assert.equal(code, 0, stderr);
  const updates = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(updates.map(({ url }) => url).sort(), URLS);
  assert.ok(updates.every(({ restored, superseded }) => restored && !superseded));
});

Deno.test("restore says what it could not do: unknown feeds, unknown plugins, dead letters", async () => {
  await using home = await published();
  const unknown = await home.run("restore", URLS[0], "https://example.com/x");
  assert.equal(unknown.code, 65);
  assert.match(unknown.stderr, /error: No server has published https:\/\/example\.com\/x\n$/);
  assert.equal(home.mirrored().length, 1);
  const plugin = await home.run("restore", "--plugin", "miror");
  assert.equal(plugin.code, 64);
  assert.match(plugin.stderr, /error: No plugin is called "miror", did you mean "mirror"\?\n$/);

  await using failing = await published({ plugins: ["./fails.ts"], callbackTimeout: "10s" });
  const failed = await failing.run("restore", URLS[0], URLS[1]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /error: Cannot restore 2 updates, kept as dead letters: see/);
});
