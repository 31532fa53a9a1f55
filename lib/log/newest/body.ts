/**
 * Encodes and decodes the newest update of a feed: a body like that of a commit, with one update.
 * It does not depend on who writes it, or when.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { CorruptObjectError } from "../../errors.ts";
import {
  MAX_UPDATE_BYTES,
  openBody,
  packBody,
  readUpdate,
  type StoredUpdate,
  updateBody,
  updateLine,
} from "../codec.ts";
import { Shape } from "../json_limits.ts";
import { isStream, serverOf } from "../names.ts";
import type { Seq } from "../positions.ts";
import type { NewestName } from "./names.ts";

/** An update with the stream in which it was published. */
export type NewestUpdate = StoredUpdate & {
  /** `<server>_<8 base32 characters>`. */
  readonly stream: string;
};

/**
 * Encodes the update for the object `name`.
 *
 * @throws {CorruptObjectError} when it exceeds the size limit of updates: nobody could read it.
 */
export function encodeNewest({ key, time }: NewestName, update: NewestUpdate): Uint8Array {
  const { id, url, stream, seq } = update;
  const line = updateLine({ id, url, time, body: updateBody(update) }, seq);
  if (Buffer.byteLength(line) > MAX_UPDATE_BYTES) {
    throw new CorruptObjectError(key, `its update has more than ${MAX_UPDATE_BYTES} bytes`);
  }
  return packBody({ stream, server: serverOf(stream), first: seq, count: 1 }, [line]);
}

/**
 * Decodes the object `name`. Does not check that the hash in its key belongs to its URL.
 *
 * @throws {CorruptObjectError} when the body does not match the key exactly.
 * @throws {UnsupportedFormatError} when a newer version wrote it in a format that this version
 * cannot read.
 */
export function decodeNewest(
  { key, time, id, isRemoved }: NewestName,
  body: Uint8Array,
): NewestUpdate {
  const { header: { stream, first: seq }, lines: [line] } = openBody(key, body, { count: 1 });
  if (typeof stream !== "string" || !isStream(stream) || !isSeq(seq)) {
    throw new CorruptObjectError(key, "its header has no valid stream and seq");
  }
  const update = readUpdate(key, line, { line: 2, seq, shape: new Shape() });
  const isSame = update.id === id && Date.parse(update.time) === time &&
    (update.removed === true) === isRemoved;
  if (!isSame) throw new CorruptObjectError(key, "it holds another update than its key says");
  return { ...update, stream };
}

function isSeq(value: unknown): value is Seq {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}
