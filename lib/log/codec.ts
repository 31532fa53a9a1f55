/**
 * Encodes and decodes commits and segments: NDJSON with a header line and one update per line,
 * compressed with zstd. `zstd -dc | jq` reads them. Bodies that a cache or proxy has decompressed
 * are read as well.
 *
 * @module
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { formatOf } from "../stores/body_format.ts";
import { CorruptObjectError, messageOf, UnsupportedFormatError } from "../errors.ts";
import { MAX_VALUES, outlineOf, Shape } from "./json_limits.ts";
import { type ObjectName, serverOf } from "./names.ts";
import { plus, type Seq, type SeqNumber } from "./positions.ts";
import { isReadableFeedUrl } from "../feed_url.ts";
import { MAX_OBJECT_BYTES, tooLarge } from "../stores/store.ts";
import type { ContentUpdate, Json, JsonObject, RemovalUpdate } from "../update.ts";

/**
 * The format that is written, and the oldest reader that can read it; older readers wait for an
 * upgrade.
 */
const FORMAT = 1, READER = 1;

/** Maximum length of the first line, in any format, in UTF-16 units. */
const MAX_HEADER_LENGTH = 64 * 1024;

/** Maximum size of an update: bytes of its line. */
export const MAX_UPDATE_BYTES: number = 16 * 1024 * 1024;

/**
 * Maximum number of updates in an object. The largest that is written is a segment that was nearly
 * full and takes one more commit: 512 KiB of lines with more than 100 bytes each.
 */
const MAX_UPDATES = 10_000;

/** Upper bound on the values of a line besides content and metadata. */
const LINE_VALUES = 16;

/** Approximate memory of an update without its text, and of each value of its content. */
const UPDATE_BYTES = 600, VALUE_BYTES = 100;

/** An update as stored: the content of a line of a body. */
export type StoredUpdate =
  & { readonly seq: Seq }
  & (
    | Omit<ContentUpdate, "seq" | "superseded" | "stream" | "server">
    | Omit<RemovalUpdate, "seq" | "superseded" | "stream" | "server">
  );

/** The content of a body. */
export interface DecodedObject {
  /** The updates. */
  readonly updates: readonly StoredUpdate[];
  /**
   * The stream that this one continues, and the last of its seqs that is not published again here.
   */
  readonly continues?: { readonly stream: string; readonly last: number };
  /** Approximate memory use in bytes. */
  readonly size: number;
}

/** The content of a header that is not in the key. */
export interface BodyHeader {
  /** When the object was made, in ISO 8601. */
  readonly time: string;
  /** The stream that this one continues. */
  readonly previous?: string;
  /** The last seq of the continued stream that is not published again here. */
  readonly previousLast?: number | undefined;
}

/** Encodes updates, given as lines without newline, for the object `name`. */
export function encodeBody(
  name: ObjectName,
  lines: readonly string[],
  { time, previous, previousLast }: BodyHeader,
): Uint8Array {
  const header = JSON.stringify({
    feedsync: READER,
    format: FORMAT,
    stream: name.stream,
    server: serverOf(name.stream),
    first: name.first,
    count: lines.length,
    writer: name.writer,
    time,
    previous,
    previousLast,
  });
  return zstdCompressSync(`${header}\n${lines.join("\n")}\n`, {
    // Level 1 takes half the time of the default, and adds a few per cent of size.
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
}

/** Makes the line of an update; `body` is its JSON without `seq`, `id`, `url` and `time`. */
export function updateLine(
  row: { id: string; url: string; time: number; body: string },
  seq: SeqNumber,
): string {
  const time = new Date(row.time).toISOString();
  return `{"seq":${seq},"id":"${row.id}","url":${
    JSON.stringify(row.url)
  },"time":"${time}",${row.body}}`;
}

/**
 * Decodes the object `name`.
 *
 * @throws {CorruptObjectError} when the body does not match the key exactly. `node:zlib` accepts
 * truncated input, so header, number of lines and the last newline are all checked.
 * @throws {UnsupportedFormatError} when a newer version wrote it in a format that this version
 * cannot read.
 */
export function decodeBody(name: ObjectName, body: Uint8Array): readonly StoredUpdate[] {
  return decodeObject(name, body).updates;
}

/**
 * Decodes the object `name`, including its header.
 *
 * @throws {CorruptObjectError | UnsupportedFormatError} as {@linkcode decodeBody} does.
 */
export function decodeObject(name: ObjectName, body: Uint8Array): DecodedObject {
  const count = name.last - name.first + 1;
  if (count > MAX_UPDATES) throw corrupt(name, `no object holds more than ${MAX_UPDATES} updates`);
  const text = unpack(name.key, body);
  checkReader(name, text); // First, since other formats may have other rules for what follows.
  if (!text.endsWith("\n")) throw corrupt(name, "the last newline is missing");
  // A few bytes may decompress to millions of lines, so stop at one too many.
  const lines = text.split("\n", count + 3).slice(0, -1);
  if (holdsTooMany(text, lines)) throw corrupt(name, `it holds more than ${MAX_VALUES} values`);
  const header = parseLine(name, lines[0], 0);
  const expected = { feedsync: READER, stream: name.stream, first: name.first, count };
  for (const [member, value] of Object.entries(expected)) {
    if (header[member] !== value) {
      throw corrupt(name, `its header says "${member}": ${quote(header[member])}`);
    }
  }
  if (lines.length !== count + 1) {
    const held = lines.length > count ? "more updates" : `${lines.length - 1} updates`;
    throw corrupt(name, `it holds ${held}, its key says ${count}`);
  }
  const updates = new Array<StoredUpdate>(count), shape = new Shape();
  for (let i = 0; i < count; i++) {
    const line = parseLine(name, lines[i + 1], i + 1);
    updates[i] = readUpdate(name, line, { seq: plus(name.first, i), shape });
  }
  const size = text.length + UPDATE_BYTES * count + VALUE_BYTES * shape.values;
  return { updates, continues: continuedBy(name, header), size };
}

/** Checks that this version can read the format; other errors in the header are found later. */
function checkReader({ key }: ObjectName, text: string): void {
  let header: JsonObject | null;
  try {
    header = JSON.parse(text.slice(0, MAX_HEADER_LENGTH).split("\n", 1)[0]);
  } catch {
    return;
  }
  const needed = header?.feedsync;
  if (!Number.isSafeInteger(needed) || Number(needed) <= READER) return;
  throw new UnsupportedFormatError(key, Number(needed), READER);
}

/**
 * Checks the number of values before parsing: they may take a hundred times the memory of the text.
 */
function holdsTooMany(text: string, lines: readonly string[]): boolean {
  if (text.length <= MAX_VALUES) return false; // Each takes at least one character.
  let values = -LINE_VALUES * lines.length;
  for (const line of lines) values += outlineOf(line).values;
  return values > MAX_VALUES;
}

function continuedBy(
  { stream }: ObjectName,
  { previous, previousLast }: JsonObject,
): DecodedObject["continues"] {
  const isKnown = typeof previous === "string" && serverOf(previous) === serverOf(stream) &&
    Number.isSafeInteger(previousLast);
  return isKnown ? { stream: previous, last: Number(previousLast) } : undefined;
}

function unpack(key: string, body: Uint8Array): string {
  if (body.length === 0) throw new CorruptObjectError(key, "it is empty");
  const format = formatOf(body);
  // Each failed decompression of `node:zlib` holds 100 KB until garbage is collected.
  if (format !== "zstd" && format !== "ndjson") {
    throw new CorruptObjectError(key, "it is not zstd-compressed");
  }
  if (body.length > MAX_OBJECT_BYTES) throw tooLarge(key);
  try {
    const bytes = format === "zstd"
      ? zstdDecompressSync(body, { maxOutputLength: MAX_OBJECT_BYTES })
      : body;
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const form = format === "zstd" ? "zstd-compressed text" : "text";
    throw new CorruptObjectError(key, `it is not ${form} (${messageOf(cause)})`, { cause });
  }
}

function parseLine(name: ObjectName, line: string, index: number): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw corrupt(name, `line ${index + 1} is not JSON`, cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw corrupt(name, `line ${index + 1} is not a JSON object`);
  }
  return value;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function readUpdate(
  name: ObjectName,
  line: JsonObject,
  { seq, shape }: { seq: Seq; shape: Shape },
): StoredUpdate {
  const { id, url, time, metadata = {}, content, encoding, removed } = line;
  const valid = line.seq === seq && typeof id === "string" && UUID.test(id) &&
    typeof url === "string" && isReadableFeedUrl(url) && typeof time === "string" &&
    TIME.test(time) &&
    !Number.isNaN(Date.parse(time)) &&
    typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (!valid || (removed !== true && content === undefined)) {
    throw corrupt(name, `the update in place of seq ${seq} is malformed`);
  }
  const problem = shape.add(content) ?? shape.add(metadata);
  if (problem) throw corrupt(name, `the update in place of seq ${seq} is ${problem}`);
  if (removed === true) {
    return { seq, id, url, time, metadata, content: undefined, removed: true };
  }
  if (encoding === undefined) return { seq, id, url, time, metadata, content };
  return { seq, id, url, time, metadata, content: decodeBytes(name, content, encoding) };
}

function decodeBytes(name: ObjectName, content: Json, encoding: Json): Uint8Array {
  if (encoding === "base64" && typeof content === "string") {
    try {
      return Uint8Array.fromBase64(content);
    } catch {
      // Reported below.
    }
  }
  throw corrupt(name, `content with encoding ${quote(encoding)} cannot be decoded`);
}

/** A short form of an untrusted value, for messages. */
function quote(value: Json | undefined): string {
  return typeof value === "object" ? typeof value : String(JSON.stringify(value)).slice(0, 100);
}

function corrupt(name: ObjectName, message: string, cause?: unknown): CorruptObjectError {
  return new CorruptObjectError(name.key, message, { cause });
}
