import assert from "node:assert/strict";
import { feedsync, start, workspace } from "./feedsync.ts";

const CONFIG = JSON.stringify({ store: "file:store", server: "web-1" });

const linesOf = (...updates: unknown[]) =>
  updates.map((update) => `${JSON.stringify(update)}\n`).join("");

Deno.test("publish --ndjson publishes each line, and prints its receipt or its error in order", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  const url = "https://example.com/";
  const stdin = linesOf(
    { url: `${url}a`, content: "a", id: "once" },
    { url: "nowhere", content: "b" },
    { url: `${url}a`, content: "a", id: "once" },
    { url: `${url}a`, content: "other", id: "once" },
  ) + `\n{"url":\n${JSON.stringify({ url: `${url}c`, content: "AP8=", encoding: "base64" })}`;
  const { code, json, stderr } = await feedsync(["publish", "--ndjson"], {
    cwd: directory.path,
    stdin,
  });
  assert.equal(code, 65, stderr);
  const [first, wrong, again, conflict, malformed, last] = json();
  assert.deepEqual([first.status, first.url, first.seq], ["published", `${url}a`, 1]);
  assert.equal(wrong.line, 2);
  assert.deepEqual(again, first);
  assert.equal((conflict.error as { name: string }).name, "UpdateConflictError");
  assert.deepEqual([malformed.line, last.url, last.seq], [6, `${url}c`, 2]);
  assert.match(stderr, /Cannot publish all lines/);
});

Deno.test("publish --ndjson publishes many lines, as fast as they come", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  const updates = Array.from(
    { length: 3000 },
    (_, i) => ({ url: `https://example.com/${i}`, content: "a" }),
  );
  const stdin = linesOf(...updates), cwd = directory.path;
  const { code, json } = await feedsync(["publish", "--ndjson", "--if-changed"], { cwd, stdin });
  assert.equal(code, 0);
  assert.deepEqual(json().map(({ seq }) => seq), updates.map((_, index) => index + 1));
  const again = await feedsync(["publish", "--ndjson", "--if-changed"], { cwd, stdin });
  assert.ok(again.json().every(({ status }) => status === "unchanged"));
});

Deno.test("publish --ndjson answers a line while the next ones are still to come", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  const process = start(["publish", "--ndjson", "-q"], { cwd: directory.path });
  const input = process.stdin.getWriter();
  await input.write(
    new TextEncoder().encode(linesOf({ url: "https://example.com/", content: "a" })),
  );
  const output = process.stdout.getReader();
  const { value } = await output.read();
  assert.equal(JSON.parse(new TextDecoder().decode(value)).status, "published");
  await input.close();
  assert.equal((await process.status).code, 0);
  await output.cancel();
  await process.stderr.cancel();
});

Deno.test("publish --ndjson takes no URL, and publish no update without one", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  for (const args of [["--ndjson", "https://example.com/"], ["--ndjson", "--remove"], []]) {
    const { code, stderr } = await feedsync(["publish", ...args], { cwd: directory.path });
    assert.equal(code, 64, stderr);
  }
});
