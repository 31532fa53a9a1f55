/**
 * Reading the newest update of a feed from where it is: the outbox, the log, or what is kept for good.
 *
 * @module
 */
import type { OnceLog } from "../../base/once_log.ts";
import { CorruptObjectError, messageOf } from "../../errors.ts";
import { type BucketLog, whyUnreadable } from "../../log/bucket_log.ts";
import type { StoredUpdate } from "../../log/codec.ts";
import { type ObjectKind, type ObjectName, serverOf } from "../../log/names.ts";
import { compareNewest, type DatedNewest } from "../../log/newest/names.ts";
import { asSeq } from "../../log/positions.ts";
import { isPlausible } from "../../log/update_order.ts";
import type { NewestRow, Place } from "../../state/newest.ts";
import type { State } from "../../state/state.ts";
import { type Update, updateFromJson } from "../../update.ts";

/** What is read, and until when. */
export interface ReadOptions {
  /** What is in the bucket. */
  readonly log: BucketLog;
  /** Tells of what cannot be read. */
  readonly problems: OnceLog;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** An own update, while its content is in the state. */
export function readFromOutbox({ id }: NewestRow, state: State): Update | undefined {
  const found = state.outbox.find(id);
  if (!found) return undefined;
  const { row, url, time, body } = found;
  const place = state.placeOf(row);
  return updateFromJson({
    ...{ id, url, time: new Date(time).toISOString() },
    ...JSON.parse(`{${body}}`),
    ...{ server: serverOf(place.stream), stream: place.stream, seq: place.seq, superseded: false },
  });
}

/**
 * The update with this id in the log, at its place; undefined when it is there no more, or cannot be read.
 * Commits are looked at before segments, which are larger.
 */
export async function readFromLog(
  { stream, seq }: Place,
  id: string,
  options: ReadOptions,
): Promise<Update | undefined> {
  for (const kind of ["tail", "segments"] as const) {
    for (const name of await holding(kind, { stream, seq }, options)) {
      const update = (await updatesIn(name, options)).find((update) => update.id === id);
      if (update) return { ...update, stream, server: serverOf(stream), superseded: false };
    }
  }
  return undefined;
}

/** The objects that hold the seq: after a fork, several. */
async function holding(
  kind: ObjectKind,
  { stream, seq }: Place,
  { log, signal }: ReadOptions,
): Promise<ObjectName[]> {
  const names = await log.listStream(kind, stream, { beyond: asSeq(seq - 1), signal });
  return names.filter(({ first, last }) => first <= seq && seq <= last);
}

async function updatesIn(
  name: ObjectName,
  { log, problems, signal }: ReadOptions,
): Promise<readonly StoredUpdate[]> {
  try {
    return (await log.read(name, { signal }))?.decode().updates ?? [];
  } catch (error) {
    if (!whyUnreadable(error)) throw error;
    problems.problem(name.key, { text: "{message}", properties: { message: messageOf(error) } });
    return [];
  }
}

/**
 * Those of the names that can be the newest update of their feed, the greatest first: a time that is more than
 * a day ahead of when its object was written cannot.
 */
export function byTime(names: readonly DatedNewest[], now: number): DatedNewest[] {
  return names.filter(({ time, lastModified }) => isPlausible(time, lastModified ?? now))
    .sort((a, b) => compareNewest(b, a));
}

/**
 * The first of these objects that can be read. Anybody who can write to the bucket may have put a greater key
 * there: what is damaged is passed over, and logged.
 *
 * @throws {AccessDeniedError | MissingKeyError | UnsupportedFormatError} when one cannot be read here: it may
 * be the newest.
 */
export async function readFirst(
  names: readonly DatedNewest[],
  { log, problems, signal }: ReadOptions,
): Promise<Update | undefined> {
  for (const name of names) {
    try {
      const update = await log.newest.read(name, { signal });
      if (update) return { ...update, server: serverOf(update.stream), superseded: false };
    } catch (error) {
      if (!(error instanceof CorruptObjectError)) throw error;
      const text = "{message}; an older update of the feed is looked for";
      problems.problem(name.key, { text, properties: { message: messageOf(error) } });
    }
  }
  return undefined;
}
