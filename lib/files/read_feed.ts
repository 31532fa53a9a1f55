/**
 * What a feed file says: its URL, metadata and content.
 *
 * @module
 */
import { MAX_UPDATE_BYTES } from "../log/codec.ts";
import { messageOf } from "../errors.ts";
import { FEED_SUFFIX, feedUrl, problemWithName } from "./feed_names.ts";
import { feedIdentity } from "../feed_url.ts";
import type { JsonObject } from "../update.ts";
import type { Origin } from "./decide.ts";
import { isReplaceable, originOf } from "./details.ts";
import { percentEncodeEscapes } from "./non_utf8_names.ts";

/** Which feed a file stands for. */
export interface FeedIdentity {
  /** Normalised URL of the feed; as it is written when it cannot be published. */
  readonly url: string;
  /** From the `.feed.json`; absent without one. */
  readonly metadata?: JsonObject;
  /** What the `.feed.json` says was written to the file; absent when a person made it. */
  readonly origin?: Origin;
  /** A person has changed the `.feed.json` since. */
  readonly isEdited?: boolean;
}

/**
 * The metadata that belongs to content with this hash: what was received goes with the content that it
 * came with, what a person wrote with any.
 */
export function metadataFor(
  { metadata, origin, isEdited }: FeedIdentity,
  hash: string,
): JsonObject | undefined {
  return origin === undefined || isEdited || origin.hash === hash ? metadata : undefined;
}

/**
 * Tells which feed the file `name` stands for: what the `.feed.json` beside it says, else what its
 * name says. Other members of the `.feed.json` than `url` and `metadata` are ignored.
 *
 * @param path where the file can be read; the `.feed.json` is looked for beside it.
 * @throws {Error} that names the `.feed.json` when that is malformed, or tells that the name is no URL.
 */
export async function identifyFeed(name: string, path: string): Promise<FeedIdentity> {
  const details = await readDetails(`${path}.json`, `${name}.json`);
  if (details) return details;
  const url = urlOfName(name);
  if (url !== undefined) return { url };
  const problem = problemWithName(name.slice(0, -FEED_SUFFIX.length));
  throw new Error(
    problem === undefined
      ? `its name is not the URL of a feed, and there is no '${name}.json' that tells it`
      : `${problem}; if it is a feed of its own, name its URL in '${name}.json': {"url": "https://…"}`,
  );
}

/** The URL that the name of a file stands for, `.feed.json` aside. */
export function urlOfName(name: string): string | undefined {
  const stem = name.slice(0, -FEED_SUFFIX.length);
  // The second form is for names that are percent-encoded as a whole.
  const url = feedUrl(percentEncodeEscapes(stem, "%")) ??
    feedUrl(percentEncodeEscapes(stem, "%25"));
  return url === undefined ? undefined : feedIdentity(url);
}

/** Text when the bytes are UTF-8, a byte order mark included; else the bytes themselves. */
export function feedContent(bytes: Uint8Array): string | Uint8Array {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

/** Refuses what is too large to be published. */
export function assertFeedSize(bytes: number): void {
  if (bytes > MAX_UPDATE_BYTES) {
    throw new RangeError(
      `it has ${bytes} bytes, more than the ${MAX_UPDATE_BYTES} that can be published`,
    );
  }
}

/** Refuses to publish nothing: most likely its writer has not come further yet, or failed. */
export function assertContent(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new RangeError("it is empty; it is published once it has content");
}

async function readDetails(path: string, name: string): Promise<FeedIdentity | undefined> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw new TypeError("it is not a regular file");
    assertFeedSize(size);
    const identity = parseDetails(decodeText(await Deno.readFile(path)));
    const { origin } = identity;
    if (!origin || origin.hash !== undefined) return identity;
    return { ...identity, origin: { ...origin, isBeside: await isWrittenBeside(path) } };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new Error(`the '${name}' beside it cannot be used: ${messageOf(cause)}`, { cause });
  }
}

/** 0.1 wrote the `.feed.json` first, the file right after it, and no hash into either. */
const MOST_BETWEEN_MS = 2_000;

/** Whether the file and its `.feed.json` at `path` were written one right after the other. */
async function isWrittenBeside(path: string): Promise<boolean> {
  const [details, feed] = await Promise.all([
    Deno.lstat(path),
    Deno.lstat(path.slice(0, -".json".length)).catch(() => undefined),
  ]);
  const between = Number(feed?.mtime ?? NaN) - Number(details.mtime ?? NaN);
  return between >= 0 && between <= MOST_BETWEEN_MS;
}

function parseDetails(text: string): FeedIdentity {
  const value = JSON.parse(text) as unknown;
  if (!isObject(value)) throw new TypeError("it is not a JSON object");
  const { url, metadata = {} } = value;
  if (typeof url !== "string" || !URL.canParse(url)) {
    throw new TypeError(`"url" must be an absolute URL: current value is ${JSON.stringify(url)}`);
  }
  if (!isObject(metadata)) throw new TypeError('"metadata" must be a JSON object');
  const origin = originOf(value);
  const marks = origin && { origin, isEdited: !isReplaceable(text) };
  return { url: feedIdentity(url), metadata, ...marks };
}

/** Text in UTF-8, or as its byte order mark says, which is left out. */
function decodeText(bytes: Uint8Array): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe
    ? "utf-16le"
    : bytes[0] === 0xfe && bytes[1] === 0xff
    ? "utf-16be"
    : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
