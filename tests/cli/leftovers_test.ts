import assert from "node:assert/strict";
import { join } from "node:path";
import { connect, publish } from "../../mod.ts";
import { feedsync, workspace } from "./feedsync.ts";
import { Running } from "./running.ts";

/** Leaves behind what fails after the call. */
const CARELESS = `export default {
  name: "careless",
  onUpdate({ content }, { logger }) {
    logger.info("applied " + content);
    Promise.reject(new Error("rejected later"));
    Promise.reject(undefined);
    setTimeout(() => { throw new Error("thrown later"); });
  },
};`;

/** Never gets done with "a". */
const STUCK = `export default {
  name: "stuck",
  onUpdate: ({ content }, { logger }) =>
    content === "a" ? new Promise(() => {}) : logger.info("applied " + content),
};`;

/** A server with one plugin, and a store that `publish` writes to as another server. */
async function serverWith(plugin: string, config: Record<string, unknown> = {}) {
  const home = await workspace({
    "plugin.ts": plugin,
    "feedsync.json": JSON.stringify({
      server: "web-2",
      store: "file:store",
      plugins: ["./plugin.ts"],
      ...config,
    }),
  });
  return {
    ...home,
    async publish(...contents: string[]) {
      await using sync = await connect({
        store: `file:${join(home.path, "store")}`,
        server: "web-1",
      });
      await publish(
        sync,
        contents.map((content) => ({ url: `https://example.com/${content}`, content })),
      );
    },
  };
}

Deno.test("watch goes on when a plugin leaves failures behind, and tells of them", async () => {
  await using server = await serverWith(CARELESS);
  await server.publish("a");
  await using watch = new Running(["watch"], { cwd: server.path });
  await watch.says(/applied a/);
  const failures = ["rejected later", "undefined", "thrown later"];
  for (const _ of failures) await watch.says(/error .*left behind by a plugin/);
  for (const failure of failures) assert.ok(watch.said.includes(`plugin: ${failure}`), failure);
  await server.publish("b");
  await watch.says(/applied b/);
});

Deno.test("a call that never returns ends with its timeout, and the next update comes", async () => {
  await using server = await serverWith(STUCK, { callbackTimeout: "50ms" });
  await server.publish("a", "b");
  const { code, stderr } = await feedsync(["watch", "--once"], { cwd: server.path });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /stuck cannot apply .*\/a .*: The call took longer than 0\.05 s/);
  assert.match(stderr, /applied b/);
  const letters = await feedsync(["dead-letters", "list", "--json"], { cwd: server.path });
  assert.deepEqual(letters.json().map(({ url }) => url), ["https://example.com/a"]);
});

/** Says what a plugin throws at each call, and at its setup. */
const throwing = (update: string, setup = "undefined") => `
  import { BackendUnavailableError } from "@feedsync/feedsync";
  export default {
    name: "throwing",
    setup() { const error = ${setup}; if (error) throw error; },
    onUpdate() { const error = ${update}; if (error) throw error; },
  };`;

Deno.test("watch --once ends with 69 without a backend, with 1 when a plugin fails for every update", async () => {
  const away = `new BackendUnavailableError("The database is away")`;
  const cases: [plugin: string, code: number, message: RegExp][] = [
    [throwing(away), 69, /error: The plugin throwing cannot reach its backend; .*database is away/],
    [throwing("undefined", away), 69, /error: Cannot set up plugin .*: The database is away/],
    [throwing(`new Error("No")`), 1, /error: The plugin throwing fails for every update; .*: No/],
  ];
  for (const [plugin, code, message] of cases) {
    await using server = await serverWith(plugin, { callbackTimeout: "500ms" });
    await server.publish("a", "b", "c", "d", "e");
    const outcome = await feedsync(["watch", "--once"], { cwd: server.path });
    assert.equal(outcome.code, code, outcome.stderr);
    assert.match(outcome.stderr, message);
  }
});

Deno.test({
  name: "tail goes on when something fails that nobody waits for",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await workspace({
      "fail.ts": `Deno.addSignalListener("SIGUSR2", () => void Promise.reject("careless"));`,
    });
    const preload = join(home.path, "fail.ts");
    await using tail = new Running(["tail"], { cwd: home.path, preload });
    await tail.says(/for this machine only/);
    tail.kill("SIGUSR2");
    await tail.says(/error .*: careless/);
    tail.kill("SIGTERM");
    assert.equal((await tail.end()).code, 0);
  },
});
