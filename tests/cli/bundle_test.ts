/** The bundle of the command line, which must do all that the command line does. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { bundle } from "../../tools/bundle.ts";
import { onEveryStore } from "../end_to_end/stores.ts";
import { feedsync, type Outcome, type RunOptions, workspace } from "./feedsync.ts";
import { Running } from "./running.ts";

const place = await workspace();
Deno.test.afterAll(async () => await place[Symbol.asyncDispose]());
await bundle(place.path);
const commandLine = join(place.path, "cli.js");

function bundled(args: string[], options: RunOptions): Promise<Outcome> {
  return feedsync(args, { ...options, commandLine });
}

Deno.test("the bundle prints the help and the version that the program prints", async () => {
  for (const args of [["--help"], ["help", "publish"], ["--version"], ["completions", "bash"]]) {
    const { code, stdout } = await bundled(args, { cwd: place.path });
    assert.deepEqual({ code, stdout }, {
      code: 0,
      stdout: (await feedsync(args, { cwd: place.path })).stdout,
    });
  }
});

Deno.test("the bundle has every command", async () => {
  for (const { name } of COMMANDS) {
    const { code, stderr } = await bundled([name, "--nonsense"], { cwd: place.path });
    assert.equal(code, 64, stderr);
    assert.match(stderr, /--nonsense/);
  }
});

/** A plugin of a user. Its package is not the bundle's: errors of the one must be errors of the other. */
const PICKY = `import { definePlugin, RejectedUpdateError } from "@feedsync/feedsync";
import { z } from "zod";
export default definePlugin({
  name: "picky",
  options: z.strictObject({ taste: z.string() }),
  setup: ({ options }) => options.taste,
  onUpdate({ content }, { state: taste }) {
    if (content !== taste) throw new RejectedUpdateError("It is not to my taste");
  },
});
`;

onEveryStore(
  "the bundle publishes, and delivers to built-in plugins and a user's",
  async (store) => {
    const plugins = [["./picky.ts", { taste: "sweet" }], ["mirror", { directory: "feeds" }]];
    const config = { ...store.config, plugins };
    await using home = await workspace({
      "feedsync.json": JSON.stringify(config),
      "picky.ts": PICKY,
    });
    const options = { cwd: home.path };
    for (const content of ["sweet", "sour"]) {
      const args = ["publish", `https://example.com/${content}`, "--server", "web-1"];
      const published = await bundled(args, { ...options, stdin: content });
      assert.equal(published.code, 0, published.stderr);
    }
    const watched = await bundled(["watch", "--once", "--server", "web-2"], options);
    assert.equal(watched.code, 1, watched.stderr); // There is a dead letter now.
    const feeds = await Array.fromAsync(Deno.readDir(join(home.path, "feeds")));
    assert.equal(feeds.filter(({ name }) => name.endsWith(".feed")).length, 2);
    const letters = await bundled(["dead-letters", "list", "--server", "web-2", "--json"], options);
    assert.deepEqual(letters.json().map(({ plugin, url, error }) => ({ plugin, url, error })), [
      { plugin: "picky", url: "https://example.com/sour", error: "It is not to my taste" },
    ]);
  },
);

Deno.test("the bundle serves the page of the local API with its files", async () => {
  const api = { listen: "127.0.0.1:0", token: false };
  await using home = await workspace({ "feedsync.json": JSON.stringify({ api, server: "web-1" }) });
  await using running = new Running(["watch"], { cwd: home.path, commandLine });
  await running.says(/Serving the API at/);
  const origin = `http://${/Serving the API at (\S+)/.exec(running.said)![1]}`;
  const page = await (await fetch(origin)).text();
  assert.match(page, /<title>/);
  const parts = [...page.matchAll(/(?:src|href)="([^":]+\.(?:js|css|svg))"/g)].map(([, path]) =>
    path
  );
  assert.ok(parts.length > 1, page);
  for (const path of parts) {
    const answer = await fetch(new URL(path, origin));
    assert.equal(answer.status, 200, path);
    assert.ok((await answer.text()).length > 100, path);
  }
});

Deno.test("the bundle runs the demo, in processes of its own", async () => {
  await using home = await workspace();
  const { code, stdout, stderr } = await bundled(["demo"], { cwd: home.path });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /web-2 applied update 1: /);
});
