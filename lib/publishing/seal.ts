/**
 * Sealing: the commits of a stream are merged into segments, which keeps the tail, and so a poll,
 * small. The rules of what may be sealed are all in {@linkcode planSegments}.
 *
 * @module
 */
import { objectName, reachOf } from "../log/names.ts";
import { plus, rowOf, type Seq } from "../log/positions.ts";
import type { KnownCommit, OwnStream, StreamState } from "../state/own_stream.ts";
import type { StoreOptions } from "../stores/store.ts";
import { putRows, type UploadContext } from "./commit.ts";

/** Sealing begins when a stream has more commits in the tail. */
export const MAX_TAIL_COMMITS: number = 8;

/** A segment is closed when it holds so many bytes of NDJSON; a larger commit is one by itself. */
export const FULL_SEGMENT_BYTES: number = 256 * 1024;

/** A segment is closed at this age, in milliseconds. */
export const MAX_SEGMENT_AGE_MS: number = 60 * 60 * 1000;

/** How long a superseded open segment is kept for readers that just listed it, in milliseconds. */
const SUPERSEDED_GRACE_MS = 10_000;

/** After a failure nothing is deleted for so many milliseconds. */
const GARBAGE_RETRY_MS = 10 * 60 * 1000;

/** A segment to write. */
export interface SegmentPlan {
  /** First seq. */
  readonly first: Seq;
  /** Last seq. */
  readonly last: Seq;
  /** Bytes of NDJSON, at most. */
  readonly bytes: number;
  /** No more is added to it. */
  readonly closed: boolean;
}

/** Whether the tail has grown beyond its limit. */
export function needsSealing(ownStream: OwnStream): boolean {
  return ownStream.tailLength() > MAX_TAIL_COMMITS;
}

/**
 * Which segments to write, in this order, so that all commits are sealed that may be:
 *
 * 1. The newest commit is never sealed, nor are others that end with it: the tail would forget how
 *    far the stream reaches.
 * 2. Sealing never goes backwards: what is sealed already is not sealed again.
 *
 * That every segment is written before its commits are deleted is up to {@linkcode seal}.
 */
export function planSegments(
  stream: StreamState,
  commits: readonly KnownCommit[],
  now: number,
): SegmentPlan[] {
  const newest = reachOf(commits);
  const plans: SegmentPlan[] = [];
  let { closedSeq: before, sealedSeq: last, openSegmentBytes: bytes } = stream;
  let openedAt = stream.openSegmentKey === null ? now : stream.openSegmentTime;
  const write = (closed: boolean) => {
    if (last > stream.sealedSeq) plans.push({ first: plus(before, 1), last, bytes, closed });
    [before, bytes, openedAt] = [last, 0, now];
  };
  for (const commit of commits) {
    if (commit.last >= newest || commit.last <= last) continue;
    if (commit.bytes > FULL_SEGMENT_BYTES && last > before) write(true);
    last = commit.last;
    bytes += commit.bytes;
    if (bytes >= FULL_SEGMENT_BYTES) write(true);
  }
  if (last > before) write(now - openedAt >= MAX_SEGMENT_AGE_MS);
  return plans;
}

/**
 * Writes the planned segments; then, and only then, their commits may be deleted. Rows are dropped
 * when the segment that holds them is closed. Commits and the segment that was replaced become
 * garbage: the commits at once, the segment after a grace for readers that just listed it.
 */
export async function seal(context: UploadContext, options: StoreOptions): Promise<void> {
  const { state: { ownStream, outbox }, environment: { clock }, writer } = context;
  for (const plan of planSegments(ownStream.load(), ownStream.commits(), clock.now())) {
    const before = ownStream.load(), { stream, base, openSegmentKey } = before;
    const name = objectName({
      kind: "segments",
      stream,
      first: plan.first,
      last: plan.last,
      writer,
    });
    await putRows(context, name, options);
    const now = clock.now();
    const closedSeq = plan.closed ? plan.last : plus(plan.first, -1);
    const continued = openSegmentKey !== null && plus(before.closedSeq, 1) === plan.first;
    context.state.transaction(() => {
      ownStream.save({
        sealedSeq: plan.last,
        closedSeq,
        openSegmentKey: plan.closed ? null : name.key,
        openSegmentBytes: plan.closed ? 0 : plan.bytes,
        openSegmentTime: continued ? before.openSegmentTime : now,
      });
      for (const { key, last } of ownStream.commits()) {
        if (last > before.sealedSeq && last <= plan.last) ownStream.addGarbage(key, now);
      }
      if (continued) ownStream.addGarbage(openSegmentKey, now + SUPERSEDED_GRACE_MS);
      ownStream.dropCommits(closedSeq);
      outbox.drop(rowOf(closedSeq, base));
    }, { durable: false });
  }
}

/**
 * Deletes the objects that nobody needs any more, those of them whose grace ended `overdueMs` milliseconds
 * ago or before. What cannot be deleted is tried again later, with all the rest: publishing goes on
 * without.
 */
export async function collectGarbage(
  { state, log, environment: { clock }, problems }: UploadContext,
  { overdueMs, signal }: StoreOptions & { overdueMs: number },
): Promise<void> {
  const keys = state.ownStream.garbage(clock.now() - overdueMs);
  if (keys.length === 0) return;
  const failures = await log.delete(keys, { signal });
  const failed = new Set(failures.map(({ key }) => key));
  state.transaction(() => {
    state.ownStream.dropGarbage(keys.filter((key) => !failed.has(key)));
    if (failed.size > 0) {
      state.ownStream.postponeGarbage(Math.round(clock.now()) + GARBAGE_RETRY_MS);
    }
  }, { durable: false });
  if (failures.length === 0) return void problems.resolved("garbage");
  problems.problem("garbage", {
    text: "Cannot delete {count} sealed objects, trying again later: {message}",
    properties: { count: failures.length, message: failures[0].error.message },
    kind: "refused", // Without the right to delete, all deletes fail, each with another message.
  });
}
