import assert from "node:assert/strict";
import { keysBeyond, objectName, parseKey } from "../../lib/log/names.ts";

const STREAM = "web-1_abcdefgh", WRITER = "ijklmnop";

Deno.test("parseKey() reads what objectName() made", () => {
  const name = objectName({ kind: "tail", stream: STREAM, first: 5, last: 12, writer: WRITER });
  assert.equal(name.key, "tail/web-1_abcdefgh/0000000000000012.8.ijklmnop");
  assert.deepEqual(parseKey(name.key), name);
});

Deno.test("parseKey() takes every other key for foreign", () => {
  const foreign = [
    "",
    "marker",
    `tail/${STREAM}/12.8.${WRITER}`, // not padded
    `tail/${STREAM}/0000000000000012.08.${WRITER}`,
    `tail/${STREAM}/0000000000000012.0.${WRITER}`,
    `tail/${STREAM}/0000000000000012.13.${WRITER}`, // would begin before 1
    `tail/${STREAM}/9999999999999999.1.${WRITER}`, // beyond 2^53 - 1
    `tail/${STREAM}/9007199254740992.1.${WRITER}`,
    `tail/${STREAM}/0000000000000012.8.IJKLMNOP`,
    `tail/${STREAM}/0000000000000012.8.${WRITER}.tmp`,
    `tail/web-1/0000000000000012.8.${WRITER}`,
    `tail/-web_abcdefgh/0000000000000012.8.${WRITER}`,
    `other/${STREAM}/0000000000000012.8.${WRITER}`,
    `tail/../${STREAM}/0000000000000012.8.${WRITER}`,
  ];
  for (const key of foreign) assert.equal(parseKey(key), undefined, key);
});

Deno.test("keysBeyond() sorts after the keys that end at the seq, and before the next", () => {
  const key = (last: number) =>
    objectName({ kind: "segments", stream: STREAM, first: 1, last, writer: "77777777" }).key;
  const after = keysBeyond("segments", STREAM, 99);
  assert.ok(key(99) < after && after < key(100));
});
