import assert from "node:assert/strict";
import { Arrivals, countOf } from "./arrivals.ts";

function report(...came: number[]) {
  const arrivals = new Arrivals();
  const reports = came.map((n, index) =>
    arrivals.note({ url: "a", metadata: { n, at: 0, isLast: index === came.length - 1 } })
  );
  assert.deepEqual(reports.slice(0, -1).filter((each) => each), []);
  return reports.at(-1)!;
}

Deno.test("what came in order is one range", () => {
  assert.deepEqual(report(4, 5, 6).ranges, [[4, 6]]);
});

Deno.test("what is missing, repeated or out of order begins another range", () => {
  assert.deepEqual(report(1, 2, 4).ranges, [[1, 2], [4, 4]]);
  assert.deepEqual(report(1, 2, 2, 3).ranges, [[1, 2], [2, 3]]);
  assert.deepEqual(report(2, 1).ranges, [[2, 2], [1, 1]]);
});

Deno.test("each report is of what came since the one before", () => {
  const arrivals = new Arrivals();
  const note = (n: number) => arrivals.note({ url: "a", metadata: { n, at: 0, isLast: true } });
  assert.deepEqual([note(1), note(2)].map((each) => each!.ranges), [[[1, 1]], [[2, 2]]]);
});

Deno.test("countOf() counts each update once", () => {
  assert.equal(countOf([]), 0);
  assert.equal(countOf([[1, 3], [5, 6]]), 5);
  assert.equal(countOf([[3, 6], [1, 4], [2, 2]]), 6);
});
