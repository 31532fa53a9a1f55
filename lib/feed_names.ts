/**
 * File names of feeds, both ways: which file a URL is kept in, and which URL a file stands for.
 *
 * @module
 */
import { createHash } from "node:crypto";

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
  const hash = createHash("sha256").update(url).digest("hex");
  return `${name.slice(0, FIRST_PART)}~${hash}${FEED_SUFFIX}`;
}

/**
 * The URL that a file called `name` (without `.feed`) stands for, where no `.feed.json` tells it.
 * `undefined` when the name does not say: it is no URL with `://`, or the shortened form of one.
 */
export function feedUrl(name: string): string | undefined {
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
  return text.includes("://") && URL.canParse(text);
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
