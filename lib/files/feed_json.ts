/**
 * Which feed a file stands for: the `.feed.json` beside it says so, else its name. feedsync writes
 * a `.feed.json` beside each file that it received, and recognises those that it wrote.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { messageOf } from "../errors.ts";
import { feedIdentity } from "../feed_url.ts";
import { MAX_UPDATE_BYTES } from "../log/codec.ts";
import type { JsonObject, Update } from "../update.ts";
import type { Origin } from "./decide.ts";
import { FEED_SUFFIX, findNameProblem, urlOfName } from "./feed_names.ts";

/** The feed that a file stands for. */
export interface IdentifiedFeed {
  /** Normalised URL of the feed; as it is written when it cannot be published. */
  readonly url: string;
  /** From the `.feed.json`; absent without one. */
  readonly metadata?: JsonObject;
  /** What the `.feed.json` says was written to the file; absent when a person wrote it. */
  readonly origin?: Origin;
  /** Whether a person has changed the `.feed.json` since. */
  readonly isEdited?: boolean;
}

/**
 * Finds out which feed the file `name` stands for. Other members of the `.feed.json` than `url` and
 * `metadata` are for feedsync only.
 *
 * @param path where the file can be read; the `.feed.json` is looked for beside it.
 * @throws {Error} that names the `.feed.json` when that is malformed, or says that the name is no
 * URL.
 */
export async function identifyFeed(name: string, path: string): Promise<IdentifiedFeed> {
  const described = await readFeedJson(`${path}.json`, `${name}.json`);
  if (described) return described;
  const url = urlOfName(name);
  if (url !== undefined) return { url };
  const problem = findNameProblem(name.slice(0, -FEED_SUFFIX.length));
  throw new Error(
    problem === undefined
      ? `its name is not the URL of a feed, and there is no '${name}.json' that gives the URL`
      : `${problem}; if it is a feed of its own, name its URL in '${name}.json': {"url": "https://…"}`,
  );
}

/**
 * The metadata that belongs to content with this hash: what was received goes with the content that
 * it came with, what a person wrote with any.
 */
export function metadataFor(
  { metadata, origin, isEdited }: IdentifiedFeed,
  hash: string,
): JsonObject | undefined {
  return origin === undefined || isEdited || origin.hash === hash ? metadata : undefined;
}

/** @throws {RangeError} when it is too large to be published. */
export function assertFeedSize(bytes: number): void {
  if (bytes > MAX_UPDATE_BYTES) {
    throw new RangeError(
      `it has ${bytes} bytes, more than the ${MAX_UPDATE_BYTES} that can be published`,
    );
  }
}

/**
 * Formats the `.feed.json` for an update whose content has this hash. It is written before the
 * content, and says until then what that replaces.
 */
export function formatFeedJson(
  { url, metadata, id, server, time }: Update,
  hash: string,
  replaces?: Origin["replaces"],
): string {
  const members = { url, metadata, id, server, time, sha256: toHex(hash) };
  if (!replaces) return sealed(members);
  const former = new Date(replaces.time).toISOString();
  return sealed({ ...members, replaces: { time: former, sha256: toHex(replaces.hash) } });
}

/**
 * Whether the text of a `.feed.json` describes the update and is unchanged since it was written.
 * The `replaces` member is ignored.
 */
export function describes(text: string, update: Update, hash: string): boolean {
  const { replaces: _replaces, seal: _seal, ...members } = parse(text) ?? {};
  return isReplaceable(text) && sealed(members) === formatFeedJson(update, hash);
}

/**
 * Whether the text of a `.feed.json` is one of ours, unchanged, or says no more than whose feed it
 * is: then nothing is lost when it is replaced.
 */
export function isReplaceable(text: string): boolean {
  const value = parse(text);
  if (value === undefined) return false;
  if (Object.keys(value).every((key) => key === "url")) return true;
  const { url, metadata, id, server, time, seal, ...rest } = value;
  if (seal !== undefined) return sealed({ url, metadata, id, server, time, ...rest }) === text;
  // As 0.1 wrote it.
  return format({ url, metadata, id, server, time }) === text;
}

async function readFeedJson(path: string, name: string): Promise<IdentifiedFeed | undefined> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw new TypeError("it is not a regular file");
    assertFeedSize(size);
    const feed = parseFeedJson(decodeText(await Deno.readFile(path)));
    const { origin } = feed;
    if (!origin || origin.hash !== undefined) return feed;
    return { ...feed, origin: { ...origin, isBeside: await isWrittenBeside(path) } };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new Error(`the '${name}' beside it cannot be used: ${messageOf(cause)}`, { cause });
  }
}

/** 0.1 wrote the `.feed.json` first, the file right after it, and no hash into either. */
const MAX_BETWEEN_MS = 2_000;

/** Whether the file and its `.feed.json` at `path` were written one right after the other. */
async function isWrittenBeside(path: string): Promise<boolean> {
  const [feedJson, feed] = await Promise.all([
    Deno.lstat(path),
    Deno.lstat(path.slice(0, -".json".length)).catch(() => undefined),
  ]);
  const betweenMs = Number(feed?.mtime ?? NaN) - Number(feedJson.mtime ?? NaN);
  return betweenMs >= 0 && betweenMs <= MAX_BETWEEN_MS;
}

function parseFeedJson(text: string): IdentifiedFeed {
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

/** Undefined when a person wrote it. */
function originOf(members: JsonObject): Origin | undefined {
  const { id, replaces } = members;
  const version = typeof id === "string" ? versionOf(members) : undefined;
  if (!version?.hash) return version;
  const replaced = isObject(replaces) ? versionOf(replaces) : undefined;
  return replaced?.hash ? { ...version, replaces: { ...replaced, hash: replaced.hash } } : version;
}

function versionOf({ time, sha256 }: JsonObject): { time: number; hash?: string } | undefined {
  const published = typeof time === "string" ? Date.parse(time) : NaN;
  if (Number.isNaN(published)) return undefined;
  return { time: published, ...typeof sha256 === "string" && { hash: fromHex(sha256) } };
}

function toHex(hash: string): string {
  return Buffer.from(hash, "base64").toString("hex");
}

function fromHex(sha256: string): string {
  return Buffer.from(sha256, "hex").toString("base64");
}

/** The last member shows whether anything before it was changed by hand. */
function sealed(members: JsonObject): string {
  const seal = createHash("sha256").update(JSON.stringify(members)).digest("hex").slice(0, 16);
  return format({ ...members, seal });
}

function format(members: JsonObject): string {
  return JSON.stringify(members, null, 2) + "\n";
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
