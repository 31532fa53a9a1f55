import assert from "node:assert/strict";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { filesBelow } from "../files_below.ts";
import { feedsync, workspace } from "./feedsync.ts";

Deno.test("version tells the formats that this program writes, and what it runs on", async () => {
  await using place = await workspace({ "feedsync.json": "{ wrong" });
  const { code, stderr, json } = await feedsync(["version", "--json"], { cwd: place.path });
  assert.equal(code, 0, stderr);
  const [{ formats: { bucket, state, messages }, ...rest }] = json() as {
    formats: Record<string, { reader: number; written?: number }>;
  }[];
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assert.deepEqual(rest, { version, deno: Deno.version.deno, platform: Deno.build.target });
  assert.deepEqual(messages, { reader: 1 });

  await using home = await workspace();
  const own = (args: string[]) => feedsync(args, { cwd: home.path, stdin: "<rss/>" });
  await own(["publish", "https://example.com/", "-", "--server", "web-1"]);
  const [shown] = (await own(["state", "show", "--json", "--server", "web-1"])).json();
  assert.deepEqual({ reader: shown.reader, written: shown.format }, state);
  const [commit] = [...filesBelow(join(home.path, ".feedsync/store/tail"), "")];
  const [header] = zstdDecompressSync(await Deno.readFile(commit)).toString().split("\n");
  const { feedsync: reader, format: written } = JSON.parse(header);
  assert.deepEqual({ reader, written }, bucket);
});

Deno.test("version begins with what --version says", async () => {
  await using place = await workspace();
  const [long, short] = await Promise.all(
    ["version", "--version"].map((arg) => feedsync([arg], { cwd: place.path })),
  );
  assert.equal(short.stdout, `${long.stdout.split("\n")[0]}\n`);
  assert.match(long.stdout, /^state +reader \d+, writes format \d+$/m);
});
