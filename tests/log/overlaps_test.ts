import assert from "node:assert/strict";
import { type ObjectName, objectName } from "../../lib/log/names.ts";
import { Overlaps } from "../../lib/log/overlaps.ts";

Deno.test("Overlaps finds what comparing each object with each finds", () => {
  let seed = 1;
  const upTo = (most: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return 1 + Math.floor(seed / 2 ** 32 * most);
  };
  for (let round = 0; round < 500; round++) {
    const names = Array.from({ length: upTo(12) - 1 }, (): ObjectName => {
      const first = upTo(20);
      const writer = "abcd"[upTo(4) - 1].repeat(8);
      const stream = "web-1_abcdefgh";
      return objectName({ kind: "tail", stream, first, last: first + upTo(6) - 1, writer });
    });
    const overlaps = new Overlaps(names);
    for (const name of names) {
      const expected = names.some(({ writer, first, last }) =>
        writer !== name.writer && first <= name.last && name.first <= last
      );
      assert.equal(overlaps.has(name), expected, JSON.stringify([name, names]));
    }
  }
});
