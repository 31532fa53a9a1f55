import assert from "node:assert/strict";
import { AccessDeniedError } from "../../lib/errors.ts";
import { asRow, asSeq } from "../../lib/log/positions.ts";
import { FULL_SEGMENT_BYTES, MAX_SEGMENT_AGE_MS, planSegments } from "../../lib/publishing/seal.ts";
import type { KnownCommit, StreamState } from "../../lib/state/own_stream.ts";
import { Fleet, survivingState, texts } from "../fixture.ts";
import { failing } from "../memory_store.ts";

const NEW: StreamState = {
  stream: "web-1_abcdefgh",
  previous: null,
  base: asRow(0),
  uploadedRow: asRow(100),
  sealedSeq: asSeq(0),
  closedSeq: asSeq(0),
  openSegmentKey: null,
  openSegmentBytes: 0,
  openSegmentTime: 0,
};

function commits(...ranges: [first: number, last: number, bytes?: number][]): KnownCommit[] {
  return ranges.map(([first, last, bytes = 100]) => ({
    key: `${last}`,
    first: asSeq(first),
    last: asSeq(last),
    bytes,
  }));
}

Deno.test("planSegments() never seals the newest commit, nor a twin that ends with it", () => {
  assert.deepEqual(planSegments(NEW, commits([1, 2], [3, 5], [4, 6], [6, 6]), 0), [
    { first: 1, last: 5, bytes: 200, closed: false },
  ]);
  assert.deepEqual(planSegments(NEW, commits([1, 6]), 0), []);
});

Deno.test("planSegments() never goes backwards", () => {
  const stream = { ...NEW, sealedSeq: asSeq(5), openSegmentKey: "open", openSegmentBytes: 200 };
  assert.deepEqual(planSegments(stream, commits([1, 2], [3, 5], [6, 9]), 0), []);
  assert.deepEqual(planSegments(stream, commits([3, 5], [5, 7], [8, 8]), 0), [
    { first: 1, last: 7, bytes: 300, closed: false },
  ]);
});

Deno.test("planSegments() closes a segment that is full and goes on in the next", () => {
  const half = FULL_SEGMENT_BYTES / 2;
  const plans = planSegments(NEW, commits([1, 1, half], [2, 2, half], [3, 3, 10], [4, 4]), 0);
  assert.deepEqual(plans, [
    { first: 1, last: 2, bytes: FULL_SEGMENT_BYTES, closed: true },
    { first: 3, last: 3, bytes: 10, closed: false },
  ]);
});

Deno.test("planSegments() makes a large commit a segment of its own", () => {
  const large = FULL_SEGMENT_BYTES + 1;
  assert.deepEqual(planSegments(NEW, commits([1, 2], [3, 3, large], [4, 4], [5, 5]), 0), [
    { first: 1, last: 2, bytes: 100, closed: true },
    { first: 3, last: 3, bytes: large, closed: true },
    { first: 4, last: 4, bytes: 100, closed: false },
  ]);
  const open = { ...NEW, sealedSeq: asSeq(2), openSegmentKey: "open", openSegmentBytes: 100 };
  assert.deepEqual(planSegments(open, commits([3, 3, large], [4, 4]), 0), [
    { first: 3, last: 3, bytes: large, closed: true },
  ]);
});

Deno.test("planSegments() closes a segment that is an hour old", () => {
  const stream = {
    ...NEW,
    sealedSeq: asSeq(1),
    openSegmentKey: "open",
    openSegmentBytes: 100,
    openSegmentTime: 1000,
  };
  const known = commits([2, 2], [3, 3]);
  assert.equal(planSegments(stream, known, 1000 + MAX_SEGMENT_AGE_MS - 1)[0].closed, false);
  assert.equal(planSegments(stream, known, 1000 + MAX_SEGMENT_AGE_MS)[0].closed, true);
});

Deno.test("the tail of a stream stays small, and nothing is missing from what is sealed", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 100));
  await fleet.time.pass(21_000);
  assert.ok(fleet.keys("tail/").length <= 9, `${fleet.keys("tail/").length} commits in the tail`);
  assert.equal(fleet.keys("segments/").length, 1, "the segments that were replaced are deleted");
  const seqs = new Set(fleet.keys().flatMap((key) => fleet.read(key).map(({ seq }) => seq)));
  assert.equal(seqs.size, 100);
});

Deno.test("a segment is stored before its commits are deleted", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const order: string[] = [];
  fleet.store.after("put", (key) => {
    if (key.startsWith("segments/")) order.push("segment");
  });
  fleet.store.before("delete", () => {
    if (order.at(-1) !== "delete") order.push("delete");
  });
  await fleet.publish(web1, ...texts("a", 10));
  assert.deepEqual(order, ["segment", "delete"]);
});

Deno.test("sealing holds up no commit", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const isPublished = Promise.withResolvers<void>();
  fleet.store.before("put", async (key) => {
    if (key.startsWith("segments/")) await isPublished.promise;
  });
  await fleet.publish(web1, ...texts("a", 20));
  assert.equal(fleet.keys("tail/").length, 20);
  isPublished.resolve();
  await fleet.time.run(web1.close());
  assert.equal(fleet.keys("tail/").length, 1);
});

Deno.test("publishing takes one PUT a commit, and one more and a LIST for every eight", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 80));
  const { put, get, list } = fleet.store.requests;
  // Once for forks, twice to see whether others encrypt.
  assert.deepEqual({ put, get, list }, { put: 80 + 9, get: 0, list: 1 + 2 + 9 });
});

Deno.test("where nothing can be deleted publishing goes on, in one stream, without reading back", async () => {
  await using fleet = new Fleet();
  fleet.store.before("delete", failing(new AccessDeniedError("no")));
  const state = survivingState("web-1", fleet);
  const { stream } = state.ownStream.load();
  const contents = texts("a".repeat(20_000), 40);
  for (let i = 0; i < contents.length; i += 10) {
    await using web1 = fleet.server("web-1", { state });
    await using watcher = fleet.watch(web1);
    await fleet.publish(web1, ...contents.slice(i, i + 10));
    await fleet.time.run(watcher.watcher.poll());
    await fleet.time.run(web1.close());
  }
  assert.ok(state.ownStream.load().closedSeq > 0);
  assert.equal(state.ownStream.load().stream, stream);
  const { put, get, delete: deletes } = fleet.store.requests;
  assert.equal(get, 0);
  assert.ok(deletes <= put - contents.length, "tried more often than sealed");
  await using reader = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(reader.watcher.poll());
  assert.deepEqual(reader.contents, contents);
});
