/**
 * The list of feeds that a server takes turns with: hashes only, named by their digest.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { CorruptObjectError } from "../../errors.ts";
import { openBody, packBody } from "../codec.ts";
import { listKey } from "./names.ts";

/** A feed in a list. */
export interface ListedFeed {
  /** Hash of its URL, as in `newest/`: 32 hex characters. */
  readonly feed: string;
  /** Hash of its domain, made in the same way. */
  readonly domain: string;
}

/** A list of feeds. */
export interface FeedList {
  /** The feeds, sorted by their hashes. */
  readonly feeds: readonly ListedFeed[];
  /** Version of the list of public suffixes by which domains were told apart. */
  readonly suffixes: string;
  /** A domain with more feeds than this is not kept together. */
  readonly maxPerDomain: number;
}

/** Maximum number of feeds in a list. */
export const MAX_LISTED = 1_000_000;

/** Length of a hash, and number of feeds in a line. */
const HASH_LENGTH = 32, FEEDS_PER_LINE = 100;

/** A hash cannot be compressed to fewer bytes: a longer list in a smaller body is invented. */
const BYTES_PER_FEED = 16, FEW_FEEDS = 1000;

const LINE = /^(?:[0-9a-f]{64}){1,100}$/;

/** An encoded list. */
export interface EncodedList {
  /** Digest of its content: 32 hex characters. */
  readonly digest: string;
  /** The body of the object. */
  readonly body: Uint8Array;
}

/** Encodes a list. The same list always has the same digest. */
export function encodeList({ feeds, suffixes, maxPerDomain }: FeedList): EncodedList {
  const lines: string[] = [];
  for (let start = 0; start < feeds.length; start += FEEDS_PER_LINE) {
    const some = feeds.slice(start, start + FEEDS_PER_LINE);
    lines.push(some.map(({ feed, domain }) => feed + domain).join(""));
  }
  const header = { kind: "list", suffixes, maxPerDomain, count: lines.length };
  return { digest: digestOf(header, lines), body: packBody(header, lines) };
}

/**
 * Decodes the list with this digest.
 *
 * @throws {CorruptObjectError} when its content has another digest.
 * @throws {UnsupportedFormatError} when only a newer version can read it.
 */
export function decodeList(digest: string, body: Uint8Array): FeedList {
  const key = listKey(digest);
  const { header, lines } = openBody(key, body, { kind: "list" });
  const { suffixes, maxPerDomain, count } = header;
  const isValid = typeof suffixes === "string" && Number.isSafeInteger(maxPerDomain) &&
    lines.every((line) => LINE.test(line));
  if (!isValid) throw new CorruptObjectError(key, "it is no list of feeds");
  const listed = lines.reduce((sum, line) => sum + line.length / (2 * HASH_LENGTH), 0);
  if (listed > FEW_FEEDS && body.length < listed * BYTES_PER_FEED) {
    throw new CorruptObjectError(key, "it repeats hashes, which no server does");
  }
  const known = { kind: "list", suffixes, maxPerDomain: Number(maxPerDomain), count };
  if (digestOf(known, lines) !== digest) {
    throw new CorruptObjectError(key, "its content has another digest");
  }
  const feeds = lines.flatMap((line) =>
    Array.from({ length: line.length / (2 * HASH_LENGTH) }, (_, index) => {
      const start = index * 2 * HASH_LENGTH;
      return {
        feed: line.slice(start, start + HASH_LENGTH),
        domain: line.slice(start + HASH_LENGTH, start + 2 * HASH_LENGTH),
      };
    })
  );
  return { feeds, suffixes, maxPerDomain: Number(maxPerDomain) };
}

function digestOf(header: unknown, lines: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(header));
  for (const line of lines) hash.update(`\n${line}`);
  return hash.digest("hex").slice(0, HASH_LENGTH);
}
