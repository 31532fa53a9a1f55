/**
 * Encodes and decodes commits and segments: NDJSON with a header line and one update per line,
 * compressed with zstd. `zstd -dc | jq` reads them. Bodies that a cache or proxy has decompressed
 * are read as well.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { formatOf } from "../stores/body_format.ts";
import { CorruptObjectError, messageOf, UnsupportedFormatError } from "../errors.ts";
import { MAX_VALUES, outlineOf, Shape } from "./json_limits.ts";
import { type ObjectName, serverOf } from "./names.ts";
import { plus, type Seq, type SeqNumber } from "./positions.ts";
import { isReadableFeedUrl } from "../feed_url.ts";
import { MAX_OBJECT_BYTES, tooLarge } from "../stores/store.ts";
import {
  contentToJson,
  type ContentUpdate,
  type FeedContent,
  type Json,
  type JsonObject,
  type RemovalUpdate,
} from "../update.ts";

/** The format that is written, and the oldest reader that can read it. */
const FORMAT = 1, READER = 1;

/** The oldest reader that can read what is written, and the format of that. */
export const FORMATS: { readonly reader: number; readonly written: number } = {
  reader: READER,
  written: FORMAT,
};

/** Keeps a byte order mark. One that refuses what is not UTF-8 takes five times as long as looking first. */
const UTF_8 = new TextDecoder("utf-8", { ignoreBOM: true });

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
  /** The stream that this one continues, and its last seq that is not published again here. */
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

/** A decompressed body with its header parsed. */
export interface OpenedBody {
  /** The header, from the first line. */
  readonly header: JsonObject;
  /** The other lines, unparsed; their number is checked. */
  readonly lines: readonly string[];
  /** Length of the whole text in UTF-16 units. */
  readonly length: number;
}

/** Encodes updates, given as finished lines without newline, for the object `name`. */
export function encodeBody(
  name: ObjectName,
  lines: readonly string[],
  { time, previous, previousLast }: BodyHeader,
): Uint8Array {
  return packBody({
    stream: name.stream,
    server: serverOf(name.stream),
    first: name.first,
    count: lines.length,
    writer: name.writer,
    time,
    previous,
    previousLast,
  }, lines);
}

/** Encodes lines, given without newlines, below a header with these members. */
export function packBody(
  header: Readonly<Record<string, Json | undefined>>,
  lines: readonly string[],
): Uint8Array {
  const first = JSON.stringify({ feedsync: READER, format: FORMAT, ...header });
  const text = lines.length === 0 ? `${first}\n` : `${first}\n${lines.join("\n")}\n`;
  return zstdCompressSync(text, {
    // Level 1 costs half the time of the default and a few per cent of size.
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
}

/** The JSON of an update without `seq`, `id`, `url` and `time`, and without braces. */
export function updateBody(update: FeedContent & { readonly metadata: JsonObject }): string {
  return JSON.stringify({ ...contentToJson(update), metadata: update.metadata }).slice(1, -1);
}

/** Whether an update with this body says that its feed is gone. */
export function isRemovalBody(body: string): boolean {
  return body.startsWith('"removed":true');
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
  const { key, stream, first } = name, count = name.last - first + 1;
  const { header, lines, length } = openBody(key, body, { stream, first, count });
  const updates = new Array<StoredUpdate>(count), shape = new Shape();
  for (let i = 0; i < count; i++) {
    updates[i] = readUpdate(key, lines[i], { line: i + 2, seq: plus(first, i), shape });
  }
  const size = length + UPDATE_BYTES * count + VALUE_BYTES * shape.values;
  return { updates, continues: continuedBy(name, header), size };
}

/**
 * Decompresses the body of the object at `key`. Its header must have the members of `expected`; the
 * header itself says how many lines follow, where nothing else does.
 *
 * @throws {CorruptObjectError | UnsupportedFormatError} as {@linkcode decodeBody} does.
 */
export function openBody(
  key: string,
  body: Uint8Array,
  expected: { readonly count?: number; readonly [member: string]: Json | undefined },
): OpenedBody {
  const { count: known, ...members } = expected;
  const most = known ?? MAX_UPDATES;
  if (most > MAX_UPDATES) throw corrupt(key, `no object holds more than ${MAX_UPDATES} updates`);
  const text = unpack(key, body);
  checkReader(key, text); // First: other formats may have other rules for everything below.
  if (!text.endsWith("\n")) throw corrupt(key, "the last newline is missing");
  // A few bytes may decompress to millions of lines; one too many is enough to know.
  const lines = text.split("\n", most + 3).slice(0, -1);
  if (holdsTooMany(text, lines)) throw corrupt(key, `it holds more than ${MAX_VALUES} values`);
  const header = parseLine(key, lines.shift()!, 1);
  const count = known ?? Number(header.count);
  for (const [member, value] of Object.entries({ feedsync: READER, ...members, count })) {
    if (header[member] !== value) {
      throw corrupt(key, `its header says "${member}": ${quote(header[member])}`);
    }
  }
  if (lines.length !== count) {
    const held = lines.length > count ? "more updates" : `${lines.length} updates`;
    const source = known === undefined ? "header" : "key";
    throw corrupt(key, `it holds ${held}, its ${source} says ${count}`);
  }
  return { header, lines, length: text.length };
}

/** Refuses a body for newer readers; a malformed header is reported later. */
function checkReader(key: string, text: string): void {
  const needed = headerIn(text)?.feedsync;
  if (!Number.isSafeInteger(needed) || Number(needed) <= READER) return;
  throw new UnsupportedFormatError(key, Number(needed), READER);
}

/**
 * The header of the body of the object at `key`, whatever its format is and whatever follows;
 * undefined when the first line is none.
 *
 * @throws {CorruptObjectError} when the body cannot be unpacked.
 */
export function readHeader(key: string, body: Uint8Array): JsonObject | undefined {
  return headerIn(unpack(key, body));
}

function headerIn(text: string): JsonObject | undefined {
  try {
    const header: Json = JSON.parse(text.slice(0, MAX_HEADER_LENGTH).split("\n", 1)[0]);
    return isObject(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

/** Counts values before parsing: they may take a hundred times the memory of the text. */
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
    if (!isUtf8(bytes)) throw new TypeError("its bytes are not UTF-8");
    return UTF_8.decode(bytes);
  } catch (cause) {
    const form = format === "zstd" ? "zstd-compressed text" : "text";
    throw new CorruptObjectError(key, `it is not ${form} (${messageOf(cause)})`, { cause });
  }
}

function parseLine(key: string, line: string, number: number): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw corrupt(key, `line ${number} is not JSON`, cause);
  }
  if (!isObject(value)) throw corrupt(key, `line ${number} is not a JSON object`);
  return value;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The number of members of an update whose content is text or JSON. */
const PLAIN_MEMBERS = 6;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * Parses the update in line number `line` of the object at `key`; `shape` counts the values of all
 * lines.
 *
 * @throws {CorruptObjectError} when the update has another seq, is malformed, or exceeds the
 * limits.
 */
export function readUpdate(
  key: string,
  text: string,
  { line, seq, shape }: { line: number; seq: Seq; shape: Shape },
): StoredUpdate {
  const members = parseLine(key, text, line);
  const { id, url, time, metadata = {}, content, encoding, removed } = members;
  const valid = members.seq === seq && typeof id === "string" && UUID.test(id) &&
    typeof url === "string" && isReadableFeedUrl(url) &&
    typeof time === "string" && TIME.test(time) && !Number.isNaN(Date.parse(time)) &&
    typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (!valid || (removed !== true && content === undefined)) {
    throw corrupt(key, `the update in place of seq ${seq} is malformed`);
  }
  const problem = shape.add(content) ?? shape.add(metadata);
  if (problem) throw corrupt(key, `the update in place of seq ${seq} is ${problem}`);
  if (removed === true) {
    return { seq, id, url, time, metadata, content: undefined, removed: true };
  }
  if (encoding !== undefined) {
    return { seq, id, url, time, metadata, content: decodeBytes(key, content, encoding) };
  }
  // V8 learns that what is made here survives, and allocates it as old: then it and its content stay until the next
  // major collection. So nothing is made of what was parsed, if it has no other members.
  const isWhole = members.metadata !== undefined && Object.keys(members).length === PLAIN_MEMBERS;
  return isWhole ? members as unknown as StoredUpdate : { seq, id, url, time, metadata, content };
}

function decodeBytes(key: string, content: Json, encoding: Json): Uint8Array {
  try {
    if (encoding === "base64") return Uint8Array.fromBase64(content as string);
  } catch {
    // Reported below.
  }
  throw corrupt(key, `content with encoding ${quote(encoding)} cannot be decoded`);
}

/** Shortens an untrusted value, for messages. */
function quote(value: Json | undefined): string {
  return typeof value === "object" ? typeof value : String(JSON.stringify(value)).slice(0, 100);
}

function corrupt(key: string, message: string, cause?: unknown): CorruptObjectError {
  return new CorruptObjectError(key, message, { cause });
}
