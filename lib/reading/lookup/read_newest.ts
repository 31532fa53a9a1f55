/**
 * Reads the newest update of a feed from the outbox, the log, or `newest/`.
 *
 * @module
 */
import type { OnceLog } from "../../base/once_log.ts";
import { CorruptObjectError, messageOf } from "../../errors.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import { whyUnreadable } from "../../log/why_unreadable.ts";
import type { StoredUpdate } from "../../log/codec.ts";
import { type ObjectKind, type ObjectName, serverOf } from "../../log/names.ts";
import type { DatedNewest } from "../../log/newest/names.ts";
import { asSeq } from "../../log/positions.ts";
import type { NewestRow } from "../../state/newest.ts";
import type { Place } from "../../state/places.ts";
import type { State } from "../../state/state.ts";
import { type Update, updateFromJson } from "../../update.ts";

/** Dependencies of reading. */
export interface ReadOptions {
  /** The log in the bucket. */
  readonly log: BucketLog;
  /** Logs unreadable objects. */
  readonly problems: OnceLog;
  /** Aborts reading. */
  readonly signal: AbortSignal;
}

/** Reads an own update whose content is still in the state. */
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
 * Reads the update with this id at its place in the log; undefined when it is gone, or cannot be
 * read. Tries commits before segments, which are larger.
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

/** The objects that hold the seq; after a fork, there may be several. */
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
 * Reads the first of these objects that is not damaged. Damaged ones are logged and skipped, since
 * anyone who can write to the bucket can forge a greater key.
 *
 * @throws {AccessDeniedError | MissingKeyError | UnsupportedFormatError} when an object cannot be
 * read here: it may be the newest.
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
      const text = "{message}; trying an older update of the feed";
      problems.problem(name.key, { text, properties: { message: messageOf(error) } });
    }
  }
  return undefined;
}
