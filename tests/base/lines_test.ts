import assert from "node:assert/strict";
import { readLines } from "../../lib/base/lines.ts";

async function linesOf(chunks: string[], maxBytes = 100): Promise<string[]> {
  const stream = ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
  const lines: string[] = [];
  for await (const line of readLines(stream, { maxBytes })) {
    lines.push(new TextDecoder().decode(line));
  }
  return lines;
}

Deno.test("lines are put together from chunks", async () => {
  assert.deepEqual(await linesOf(["a\nb", "c\n\nd", "", "e"]), ["a", "bc", "", "de"]);
  assert.deepEqual(await linesOf(["ä\n"]), ["ä"]);
  assert.deepEqual(await linesOf([]), []);
});

Deno.test("a line that is too long is refused before it is complete", async () => {
  await assert.rejects(linesOf(["abc", "def"], 5), RangeError);
  assert.deepEqual(await linesOf(["abcde\n", "fghij"], 5), ["abcde", "fghij"]);
});
