import assert from "node:assert/strict";
import type { DatedName } from "../../lib/log/bucket_log.ts";
import { objectName } from "../../lib/log/names.ts";
import { RemainingLog } from "../../lib/retention/remaining_log.ts";

const DAY = 24 * 60 * 60 * 1000, NOW = 1000 * DAY;
const STREAM = "web-1_abcdefgh", WRITER = "ijklmnop";

function object(first: number, last: number, lastModified: number | undefined = NOW): DatedName {
  const name = objectName({ kind: "segments", stream: STREAM, first, last, writer: WRITER });
  return { ...name, size: 1, lastModified };
}

function holds(objects: readonly DatedName[], seq: number, time = NOW): boolean {
  const remaining = new RemainingLog(new Map([[STREAM, objects]]), { going: new Set(), now: NOW });
  return remaining.holds({ place: { stream: STREAM, seq }, time });
}

Deno.test("an update is held by an object of its stream that covers its seq, and by no other", () => {
  const objects = [object(21, 30), object(1, 5), object(8, 12), object(10, 12)];
  const held = Array.from({ length: 32 }, (_, seq) => seq).filter((seq) => holds(objects, seq));
  const seqs = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index);
  assert.deepEqual(held, [...seqs(1, 5), ...seqs(8, 12), ...seqs(21, 30)]);
  const remaining = new RemainingLog(new Map([[STREAM, objects]]), { going: new Set(), now: NOW });
  assert.ok(!remaining.holds({ place: { stream: "web-2_abcdefgh", seq: 3 }, time: NOW }));
  assert.ok(!remaining.holds({ place: undefined, time: NOW }), "nobody knows where it is");
});

Deno.test("what goes holds nothing", () => {
  const [one, other] = [object(1, 5), object(6, 9)];
  const streams = new Map([[STREAM, [one, other]]]);
  const remaining = new RemainingLog(streams, { going: new Set([one.key]), now: NOW });
  const isHeld = (seq: number) => remaining.holds({ place: { stream: STREAM, seq }, time: NOW });
  assert.deepEqual([isHeld(5), isHeld(6)], [false, true]);
});

Deno.test("an update is not held where its time is more than a day ahead, since nobody will carry it", () => {
  assert.ok(holds([object(1, 5)], 3, NOW + DAY));
  assert.ok(!holds([object(1, 5)], 3, NOW + DAY + 1));
  assert.ok(!holds([object(1, 5, NOW - DAY)], 3, NOW + 1));
  assert.ok(
    holds([object(1, 5, undefined)], 3, NOW + DAY),
    "the present stands for what is not told",
  );
});
