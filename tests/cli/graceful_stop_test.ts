import assert from "node:assert/strict";
import { join } from "node:path";
import { connect, publish } from "../../mod.ts";
import { feedsync, workspace } from "./feedsync.ts";
import { Running } from "./running.ts";

const WATCH = ["watch", "--server", "web-2"];

/** Is done with an update when it is told a line; says when a signal has arrived. */
const SLOW = `export default {
  name: "slow",
  setup({ logger }) {
    Deno.addSignalListener("SIGTERM", () => logger.info("told to stop"));
  },
  async onUpdate({ content }, { directory, logger }) {
    logger.info("begun " + content);
    await Deno.stdin.read(new Uint8Array(100));
    await Deno.writeTextFile(directory + "/ended", content);
  },
};`;

/** Says that it has begun, and never gets done with anything. */
function hanging(hook: "setup" | "close"): string {
  return `export default {
    name: "hanging",
    onUpdate() {},
    ${hook}: () => new Promise(() => console.error("hanging in ${hook}")),
  };`;
}

/** Windows has no SIGTERM. */
function onUnix(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn });
}

/** A directory with plugins, and a store with updates of other servers. */
async function stage(
  { plugins, stopTimeout = "10m" }: { plugins: Record<string, string>; stopTimeout?: string },
) {
  const home = await workspace({
    ...plugins,
    "feedsync.json": JSON.stringify({
      store: "file:store",
      plugins: Object.keys(plugins).map((name) => `./${name}`),
      callbackTimeout: "10m",
      stopTimeout,
    }),
    "plain.json": JSON.stringify({ store: "file:store", plugins: [] }),
  });
  return {
    ...home,
    /** Publishes contents, as updates of the feed `url` or of a feed each. */
    async publish(server: string, contents: string[], url?: string) {
      await using sync = await connect({ store: `file:${join(home.path, "store")}`, server });
      await publish(
        sync,
        contents.map((content) => ({ url: url ?? `https://example.com/${content}`, content })),
      );
    },
    watch: () => new Running(WATCH, { cwd: home.path }),
    /** What is delivered at the next start. */
    async delivered() {
      const { code, stderr, json } = await feedsync(
        [...WATCH, "--once", "--json", "--config", "plain.json"],
        { cwd: home.path },
      );
      assert.equal(code, 0, stderr);
      return json().map(({ content }) => content);
    },
    /** The content of the last update that the slow plugin got done with. */
    ended: () => Deno.readTextFile(join(home.path, "ended")).catch(() => "none"),
  };
}

onUnix("SIGTERM lets the running callback finish and stores the cursor behind it", async () => {
  await using here = await stage({ plugins: { "slow.ts": SLOW } });
  await here.publish("web-1", ["a", "b"]);
  await using watch = here.watch();
  await watch.says(/slow: begun a/);
  watch.kill("SIGTERM");
  await watch.says(/told to stop/);
  await watch.tell("go on");
  const { code, stderr } = await watch.end();
  assert.equal(code, 0, stderr);
  assert.equal(await here.ended(), "a");
  assert.doesNotMatch(stderr, /begun b/);
  assert.deepEqual(await here.delivered(), ["b"]);
});

onUnix("a callback that never returns is cut off, and gets its update again", async () => {
  await using here = await stage({ plugins: { "slow.ts": SLOW }, stopTimeout: "100ms" });
  await here.publish("web-1", ["a", "b"]);
  await using watch = here.watch();
  await watch.says(/slow: begun a/);
  watch.kill("SIGTERM");
  const { code, stderr } = await watch.end();
  assert.equal(code, 0, stderr);
  assert.equal(await here.ended(), "none");
  assert.deepEqual(await here.delivered(), ["a", "b"]);
});

onUnix("a second signal ends the process at once, and loses nothing", async () => {
  await using here = await stage({ plugins: { "slow.ts": SLOW } });
  await here.publish("web-1", ["a", "b"]);
  await using watch = here.watch();
  await watch.says(/slow: begun a/);
  watch.kill("SIGTERM");
  await watch.says(/told to stop/);
  watch.kill("SIGINT");
  const { code, stderr } = await watch.end();
  assert.equal(code, 130, stderr);
  assert.deepEqual(await here.delivered(), ["a", "b"]);
});

onUnix("an update that waits for another one of its URL does not begin any more", async () => {
  await using here = await stage({ plugins: { "slow.ts": SLOW }, stopTimeout: "100ms" });
  for (const server of ["web-1", "web-3"]) {
    await here.publish(server, [server], "https://example.com/same");
  }
  await using watch = here.watch();
  await watch.says(/slow: begun web-/);
  watch.kill("SIGTERM");
  const { code, stderr } = await watch.end();
  assert.equal(code, 0, stderr);
  assert.equal(stderr.match(/begun/g)?.length, 1, stderr);
  assert.deepEqual((await here.delivered()).sort(), ["web-1", "web-3"]);
});

for (const hook of ["setup", "close"] as const) {
  onUnix(`a plugin whose ${hook} never returns does not keep the process`, async () => {
    const plugins = { "hanging.ts": hanging(hook) };
    await using here = await stage({ plugins, stopTimeout: "100ms" });
    await using watch = here.watch();
    await watch.says(hook === "setup" ? /hanging in setup/ : /Watching/);
    watch.kill("SIGTERM");
    const { code, stderr } = await watch.end();
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(`hanging in ${hook}`));
  });
}

onUnix("what is queued is uploaded before the process ends", async () => {
  await using home = await workspace({
    "feedsync.json": JSON.stringify({
      server: "web-1",
      store: "file:store",
      plugins: [],
      commitInterval: "1h",
      publishTimeout: "100ms",
    }),
    "https%3A%2F%2Fexample.com%2Fa.feed": "a",
  });
  const cwd = home.path;
  await using watch = new Running(["watch", "--files", "."], { cwd });
  await watch.says(/example.com\/a published/); // The next upload may come in an hour.
  const queued = await feedsync(["publish", "https://example.com/b"], { cwd, stdin: "b" });
  assert.equal(queued.code, 75, queued.stderr);
  watch.kill("SIGTERM");
  const { code, stderr } = await watch.end();
  assert.equal(code, 0, stderr);
  const tail = await feedsync(["tail", "--once"], { cwd });
  assert.deepEqual(tail.json().map(({ content }) => content), ["a", "b"]);
});

onUnix("what cannot be uploaded is told by the exit code, and stays queued", async () => {
  await using home = await workspace({
    "feedsync.json": JSON.stringify({
      server: "web-1",
      store: "file:store",
      plugins: [],
      publishTimeout: "500ms",
      stopTimeout: "100ms",
    }),
  });
  const cwd = home.path;
  await feedsync(["publish", "https://example.com/first"], { cwd, stdin: "first" });
  await using watch = new Running(["watch"], { cwd });
  await watch.says(/Watching/);
  const [{ name }] = await Array.fromAsync(Deno.readDir(`${cwd}/store/tail`));
  const stream = `${cwd}/store/tail/${name}`;
  await Deno.rename(stream, `${cwd}/away`);
  await Deno.writeTextFile(stream, "a file where the directory was");
  await feedsync(["publish", "https://example.com/a"], { cwd, stdin: "a" });
  watch.kill("SIGTERM");
  const { code, stderr } = await watch.end();
  assert.equal(code, 143, stderr);
  await Deno.remove(stream);
  await Deno.rename(`${cwd}/away`, stream);
  assert.equal((await feedsync(["watch", "--once"], { cwd })).code, 0);
  const tail = await feedsync(["tail", "--once"], { cwd });
  assert.deepEqual(tail.json().map(({ content }) => content), ["first", "a"]);
});
