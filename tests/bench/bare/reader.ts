/**
 * The least that catching up takes: GET, decompress, split, parse.
 *
 * @module
 */
import { zstdDecompressSync } from "node:zlib";
import type { BareStore } from "./store.ts";

/** A stream is read by so many requests at once. */
const PARALLEL_GETS = 4;

/** Reads all lines of objects; returns how many there were. */
export async function bareRead(store: BareStore, keys: readonly string[]): Promise<number> {
  const decoder = new TextDecoder(), left = keys.values();
  let lines = 0;
  await Promise.all(Array.from({ length: PARALLEL_GETS }, async () => {
    for (const key of left) {
      const text = decoder.decode(zstdDecompressSync(await store.get(key)));
      for (const line of text.split("\n")) {
        if (line === "") continue;
        JSON.parse(line);
        lines++;
      }
    }
  }));
  return lines;
}
