/**
 * Sealing: the commits of a stream are merged into segments. That keeps the tail small, and so each poll.
 * The uploader seals beside the next upload, when {@linkcode needsSealing} says so. {@linkcode planSegments}
 * has the rules of what may be sealed. A commit is sealed once a segment holds it; the last segment is
 * open, and grows, until it is closed.
 *
 * @module
 */
import { objectName, reachOf } from "../log/names.ts";
import { plus, rowOf, type Seq } from "../log/positions.ts";
import type { KnownCommit, OwnStream, StreamState } from "../state/own_stream.ts";
import type { StoreOptions } from "../stores/store.ts";
import { putRows, type UploadContext } from "./commit.ts";

/** A stream with more commits in the tail is sealed. */
export const MAX_TAIL_COMMITS: number = 8;

/** A segment is closed when it holds so many bytes of NDJSON; a larger commit becomes a segment of its own. */
export const FULL_SEGMENT_BYTES: number = 256 * 1024;

/** An older segment is closed. */
export const MAX_SEGMENT_AGE_MS: number = 60 * 60 * 1000;

/** A superseded segment is kept for so long, for readers that have just listed it. */
const SUPERSEDED_GRACE_MS = 10_000;

/** After a failure nothing is deleted for so long. */
const GARBAGE_RETRY_MS = 10 * 60 * 1000;

/** A segment to write. */
export interface SegmentPlan {
  readonly first: Seq;
  readonly last: Seq;
  /** Of NDJSON, at most. */
  readonly bytes: number;
  /** Nothing more is added to it. */
  readonly closed: boolean;
}

/** Whether the tail has grown beyond its limit. */
export function needsSealing(ownStream: OwnStream): boolean {
  return ownStream.tailLength() > MAX_TAIL_COMMITS;
}

/**
 * Returns the segments to write, in this order, so that all commits are sealed that may be:
 *
 * 1. The newest commit is never sealed, nor are others that end with it. Otherwise the tail would not show
 *    how far the stream reaches.
 * 2. Sealing never goes backwards: nothing is sealed twice.
 *
 * {@linkcode seal} writes every segment before its commits are deleted.
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
 * Writes the planned segments. Only then their commits become garbage, at once, and the open segments that
 * they replace, after a grace period. Rows are dropped when their segment is closed.
 */
export async function seal(context: UploadContext, options: StoreOptions): Promise<void> {
  const { state, environment: { clock }, writer } = context, { ownStream } = state;
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
      state.dropOutbox(rowOf(closedSeq, base));
    }, { durable: false });
    if (plan.closed) context.kept.drop(name);
  }
}

/**
 * Deletes garbage that has been due for at least `overdueMs`. After a failure everything is tried again later:
 * publishing does not depend on it.
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
