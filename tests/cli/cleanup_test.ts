import assert from "node:assert/strict";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { feedsync, workspace } from "./feedsync.ts";

const HOUR = 60 * 60 * 1000;
const SHARED = { store: "file:store", logLevel: "error" };

Deno.test("cleanup keeps what the state here says that this server waits for, up to ten times the age", async () => {
  await using home = await workspace({
    "web-1.json": JSON.stringify({ ...SHARED, server: "web-1", state: "web-1.db" }),
    "web-2.json": JSON.stringify({ ...SHARED, server: "web-2", state: "web-2.db" }),
    "web-3.json": JSON.stringify({ ...SHARED, server: "web-3", state: "web-3.db" }),
  });
  const cwd = home.path;
  const run = (...args: string[]) => feedsync(args, { cwd });
  const publish = ["publish", "https://example.com/", "-", "--config", "web-1.json"];
  assert.equal((await feedsync(publish, { cwd, stdin: "<rss/>" })).code, 0);
  const path = await onlyFile(join(cwd, "store", "tail"));
  const text = zstdDecompressSync(await Deno.readFile(path)).toString();
  await Deno.writeFile(path, zstdCompressSync(text.replace('"feedsync":1', '"feedsync":2')));
  const watched = await run("watch", "--once", "--config", "web-2.json");
  assert.match(watched.stderr, /needs a reader of format 2/);
  const cleanUp = async (server: string, ...flags: string[]) => {
    const args = ["cleanup", "--max-age", "1h", "--config", `${server}.json`, ...flags];
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, flags.includes("--dry-run") ? 0 : 1, stderr);
    return { stdout, stderr };
  };
  const setAge = (hours: number) =>
    Deno.utime(path, new Date(), new Date(Date.now() - hours * HOUR));
  await setAge(5);
  assert.match(
    (await cleanUp("web-2")).stdout,
    /^deleted 0 objects .* kept 1 \(1 cannot be read here\)$/m,
  );
  assert.match(
    (await cleanUp("web-3", "--dry-run")).stdout,
    /^would delete 0 objects .* kept 1 \(1 cannot/m,
  );
  await assert.rejects(Deno.stat(join(cwd, "web-3.db")), Deno.errors.NotFound);
  await setAge(11);
  const { stdout, stderr } = await cleanUp("web-2");
  assert.match(stderr, /^error: This server cannot read everything, 1 were deleted unread/m);
  assert.match(
    stdout,
    /^deleted 1 objects \(\d+ bytes\), 1 of which were never read here, kept 0$/m,
  );
  assert.match(stderr, /error.*Deleted 1 objects .*web-1_.*needs a reader of format 2/);
});

async function onlyFile(directory: string): Promise<string> {
  const [entry] = await Array.fromAsync(Deno.readDir(directory));
  const path = join(directory, entry.name);
  return entry.isDirectory ? await onlyFile(path) : path;
}
