import { ensureDir } from "@std/fs/ensure-dir";
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

Deno.test("ensureDir() makes a directory with its parents, and is content with one", async () => {
  const parent = await Deno.makeTempDir({ prefix: "feedsync dir " });
  const path = join(parent, "a", "b");
  await Promise.all([ensureDir(path), ensureDir(path), ensureDir(pathToFileURL(path))]);
  await ensureDir(path);
  assert.ok((await Deno.stat(path)).isDirectory);
  await Deno.remove(parent, { recursive: true });
});

Deno.test("ensureDir() rejects when a file is in the way", async () => {
  const path = await Deno.makeTempFile();
  await assert.rejects(ensureDir(path));
  await assert.rejects(ensureDir(join(path, "a")));
  await Deno.remove(path);
});
