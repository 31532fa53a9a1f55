/**
 * Names of commits and segments. A key alone tells which updates an object holds:
 * `<kind>/<stream>/<last>.<count>.<writer>`.
 *
 * @module
 */

/** Commits are in the tail, segments hold what was merged from them. */
export type ObjectKind = "tail" | "segments";

/** An object of any kind. */
export interface KeyedObject {
  /** Its key, relative to the store's prefix. */
  readonly key: string;
}

/** What a key says. */
export interface ObjectName extends KeyedObject {
  /** Commit or segment. */
  readonly kind: ObjectKind;
  /** `<server>_<8 base32 characters>`. */
  readonly stream: string;
  /** Seq of the first update in it. */
  readonly first: number;
  /** Seq of the last update in it. */
  readonly last: number;
  /** Who wrote it. */
  readonly writer: string;
}

/** Key of the marker: the one object that is overwritten, and holds nothing. */
export const MARKER_KEY = "marker";

const STREAM = "[a-z0-9][a-z0-9.-]{0,62}_[a-z2-7]{8}";
const WHOLE_STREAM = new RegExp(`^${STREAM}$`);
const KEY = new RegExp(
  `^(tail|segments)/(${STREAM})/(\\d{16})\\.([1-9]\\d{0,15})\\.([a-z2-7]{8})$`,
);

/** Reads a key; `undefined` when it is foreign. */
export function parseKey(key: string): ObjectName | undefined {
  const match = KEY.exec(key);
  if (!match) return undefined;
  const [, kind, stream, lastText, countText, writer] = match;
  const last = Number(lastText), count = Number(countText);
  if (!Number.isSafeInteger(last) || count > last) return undefined;
  return { key, kind: kind as ObjectKind, stream, first: last - count + 1, last, writer };
}

/** Makes the name of an object. */
export function objectName(parts: Omit<ObjectName, "key">): ObjectName {
  const { kind, stream, first, last, writer } = parts;
  return { ...parts, key: `${kind}/${stream}/${padSeq(last)}.${last - first + 1}.${writer}` };
}

/** Where a listing of the objects whose `last` is beyond `seq` starts: `~` sorts after `.`. */
export function keysBeyond(kind: ObjectKind, stream: string, seq: number): string {
  return `${kind}/${stream}/${padSeq(seq)}~`;
}

/** The last seq that any of the objects holds; 0 without any. There may be more than a call can take. */
export function reachOf(objects: Iterable<{ readonly last: number }>): number {
  let reach = 0;
  for (const { last } of objects) reach = Math.max(reach, last);
  return reach;
}

/** Whether a text can name a stream. */
export function isStream(text: string): boolean {
  return WHOLE_STREAM.test(text);
}

/** The server that a stream belongs to. */
export function serverOf(stream: string): string {
  return stream.slice(0, -9);
}

function padSeq(seq: number): string {
  return String(seq).padStart(16, "0");
}
