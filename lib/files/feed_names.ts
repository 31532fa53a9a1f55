/**
 * File names of feeds, both ways: which file a URL is kept in, and which URL a file stands for.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { feedIdentity } from "../feed_url.ts";
import { percentEncodeEscapes } from "./non_utf8_names.ts";

/** What files with feeds end in. */
export const FEED_SUFFIX: string = ".feed";

/** The longest name in plain form. File systems end at 255, and `.json` is added to it. */
const MAX_NAME_BYTES = 240;

/** Hexadecimal, since some file systems do not tell upper from lower case. */
const HASH_CHARACTERS = 64;

/** Makes long names one byte longer than any plain one, so that no plain name is ever one of them. */
const FIRST_PART = MAX_NAME_BYTES + 1 - `~${FEED_SUFFIX}`.length - HASH_CHARACTERS;

const LONG_FORM = new RegExp(`^.{${FIRST_PART}}~[0-9a-f]{${HASH_CHARACTERS}}$`, "s");

/** `https___example.com_feed.xml`, as the Python module names its files. */
const PYTHON_FORM = /^([a-z][a-z0-9+.-]*)___(.+)$/is;

/** What such a name may stand for is told for a host alone, or one with a single part of a path. */
const TOLD_APART = /^[^_]+(_[^_]*)?$/s;

/** `localhost_8080` was `localhost:8080` or `localhost/8080`. */
const MAYBE_PORT = /^[^_:]+_\d{1,5}$/s;

/**
 * What programs that synchronise or save add to the name of a copy, where it could be part of a URL. What
 * cannot be told from one, such as `-LAPTOP` or `_1`, is not in it.
 */
const COPY =
  /(\(\d+\)|\.(bak|backup|old|orig|swp|te?mp|conflict)|[._-](sync-)?conflict-\d{8}-\d{6}(-\w+)?)$/i;

/**
 * The name of the file that holds the feed at `url`: ASCII, without separators, never starting with
 * a dot, at most 241 bytes, and different for different URLs.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const name = feedFileName("https://example.com/feed.xml");
 * assert.equal(name, "https%3A%2F%2Fexample.com%2Ffeed.xml.feed");
 * ```
 *
 * @throws {TypeError} when `url` is not an absolute URL.
 */
export function feedFileName(url: string): string {
  if (!URL.canParse(url) || !url.isWellFormed()) {
    throw new TypeError(`Cannot name a file after a feed that has no absolute URL: ${quote(url)}`);
  }
  // The asterisk is the one character of this form that Windows refuses.
  const name = encodeURIComponent(url).replaceAll("*", "%2A");
  if (name.length + FEED_SUFFIX.length <= MAX_NAME_BYTES) return name + FEED_SUFFIX;
  return shortened(name.slice(0, FIRST_PART), url);
}

/** The name for a feed whose plain name another one has; no URL has it as its plain name. */
export function hashedFileName(url: string): string {
  const plain = feedFileName(url).slice(0, -FEED_SUFFIX.length);
  // Not percent-encoding, since no digit follows.
  return shortened(`${plain.slice(0, FIRST_PART - 1)}%`, url);
}

function shortened(firstPart: string, url: string): string {
  const hash = createHash("sha256").update(url).digest("hex");
  return `${firstPart}~${hash}${FEED_SUFFIX}`;
}

/**
 * The URL that a file called `name` (without `.feed`) stands for, where no `.feed.json` tells it.
 * `undefined` when the name does not say: it is no URL with `://`, the shortened form of one, not
 * exactly what {@linkcode feedFileName} writes for it, as with copies, or may stand for several.
 */
export function feedUrl(name: string): string | undefined {
  const url = looselyFeedUrl(name);
  return url !== undefined && problemWithName(name) === undefined ? url : undefined;
}

/** The normalised URL that the file `name` stands for, where no `.feed.json` tells it. */
export function urlOfName(name: string): string | undefined {
  const stem = name.slice(0, -FEED_SUFFIX.length);
  // The second form is for names that are percent-encoded as a whole.
  const url = feedUrl(percentEncodeEscapes(stem, "%")) ??
    feedUrl(percentEncodeEscapes(stem, "%25"));
  return url === undefined ? undefined : feedIdentity(url);
}

/** Why a name that looks like a URL is not taken for one, and how to name it. */
export function problemWithName(name: string): string | undefined {
  const url = looselyFeedUrl(name);
  if (url === undefined) return undefined;
  if (COPY.test(name) || /[\s\p{Cc}]/u.test(name)) {
    return "it looks like a copy of the file of another feed";
  }
  const python = PYTHON_FORM.exec(name);
  if (python) {
    const isTold = TOLD_APART.test(python[2]) && !MAYBE_PORT.test(python[2]);
    return isTold ? undefined : "its name may stand for several URLs, as '_' is '/', ':' or itself";
  }
  const written = feedFileName(url);
  return written === name + FEED_SUFFIX
    ? undefined
    : `its name is not exactly the one of a feed, which would be '${written}'`;
}

/** What the name seems to stand for. */
function looselyFeedUrl(name: string): string | undefined {
  if (LONG_FORM.test(name)) return undefined;
  const decoded = decode(name);
  if (decoded !== undefined && isUrl(decoded)) return decoded;
  const python = PYTHON_FORM.exec(name);
  if (!python) return undefined;
  const url = `${python[1]}://${python[2].replaceAll("_", "/")}`;
  return isUrl(url) ? url : undefined;
}

/** A file called `todo:monday.feed` is hardly meant to be a URL. */
function isUrl(text: string): boolean {
  return text.includes("://") && URL.canParse(text) && text.isWellFormed();
}

function decode(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? text.slice(0, 200) + "…" : text);
}
