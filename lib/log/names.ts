/**
 * Names of the objects in the bucket. The key alone shows which updates an object holds:
 * `<kind>/<stream>/<last>.<count>.<writer>`.
 *
 * @module
 */
import { asSeq, later, plus, type Seq, type SeqNumber } from "./positions.ts";

/** Kind of an object: commits are in the tail, segments hold merged commits. */
export type ObjectKind = "tail" | "segments";

/** Anything with an object key. */
export interface KeyedObject {
  /** The key, relative to the store's prefix. */
  readonly key: string;
}

/** The parts of a key. */
export interface ObjectName extends KeyedObject {
  /** Commit or segment. */
  readonly kind: ObjectKind;
  /** `<server>_<8 base32 characters>`. */
  readonly stream: string;
  /** Seq of the first update in it. */
  readonly first: Seq;
  /** Seq of the last update in it. */
  readonly last: Seq;
  /** Id of the writer. */
  readonly writer: string;
}

/** Key of the marker: the only object that is overwritten, and that holds no updates. */
export const MARKER_KEY = "marker";

/**
 * Key of the object with which `feedsync check` probes the store. It holds nothing, nobody reads or
 * lists it, and it is deleted at once.
 */
export const PROBE_KEY = "probe";

const STREAM = "[a-z0-9][a-z0-9.-]{0,62}_[a-z2-7]{8}";
const WHOLE_STREAM = new RegExp(`^${STREAM}$`);
const KEY = new RegExp(
  `^(tail|segments)/(${STREAM})/(\\d{16})\\.([1-9]\\d{0,15})\\.([a-z2-7]{8})$`,
);

/** Parses a key; `undefined` when it is foreign. */
export function parseKey(key: string): ObjectName | undefined {
  const match = KEY.exec(key);
  if (!match) return undefined;
  const [, kind, stream, lastText, countText, writer] = match;
  const last = asSeq(Number(lastText)), count = Number(countText);
  if (!Number.isSafeInteger(last) || count > last) return undefined;
  return { key, kind: kind as ObjectKind, stream, first: plus(last, 1 - count), last, writer };
}

/** Makes the name of an object. */
export function objectName(
  { kind, stream, first, last, writer }: Omit<ObjectName, "key" | "first" | "last"> & {
    readonly first: SeqNumber;
    readonly last: SeqNumber;
  },
): ObjectName {
  const key = `${kind}/${stream}/${padSeq(last)}.${last - first + 1}.${writer}`;
  return { key, kind, stream, first: asSeq(first), last: asSeq(last), writer };
}

/** Where a listing of the objects whose `last` is beyond `seq` starts: `~` sorts after `.`. */
export function keysBeyond(kind: ObjectKind, stream: string, seq: SeqNumber): string {
  return `${kind}/${stream}/${padSeq(seq)}~`;
}

/** The highest seq that any of the objects holds; 0 without objects. */
export function reachOf(objects: Iterable<{ readonly last: Seq }>): Seq {
  // No spread into Math.max: there may be too many for the arguments of one call.
  let reach = asSeq(0);
  for (const { last } of objects) reach = later(reach, last);
  return reach;
}

/** Whether a text is a valid stream name. */
export function isStream(text: string): boolean {
  return WHOLE_STREAM.test(text);
}

/** The server that a stream belongs to. */
export function serverOf(stream: string): string {
  return stream.slice(0, -9);
}

function padSeq(seq: SeqNumber): string {
  return String(seq).padStart(16, "0");
}
