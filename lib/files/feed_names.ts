/**
 * File names of feeds, both ways: which file a URL is kept in, and which URL a file stands for.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { feedIdentity } from "../feed_url.ts";
import { percentEncodeEscapes } from "./non_utf8_names.ts";

/** What the names of feed files end in. */
export const FEED_SUFFIX: string = ".feed";

/** Of a name in plain form. File systems allow 255, and `.json` is added to it. */
const MAX_NAME_BYTES = 240;

/** In hexadecimal, since some file systems ignore case. */
const HASH_CHARACTERS = 64;

/** Makes long names one byte longer than any plain one, so that no plain name is ever one of them. */
const FIRST_PART_LENGTH = MAX_NAME_BYTES + 1 - `~${FEED_SUFFIX}`.length - HASH_CHARACTERS;

const LONG_FORM = new RegExp(`^.{${FIRST_PART_LENGTH}}~[0-9a-f]{${HASH_CHARACTERS}}$`, "s");

/** `https___example.com_feed.xml`, as the Python module names its files. */
const PYTHON_FORM = /^([a-z][a-z0-9+.-]*)___(.+)$/is;

/** Such a name stands for one URL only if that is a host, or a host and one part of a path. */
const UNAMBIGUOUS = /^[^_]+(_[^_]*)?$/s;

/** `localhost_8080` was `localhost:8080` or `localhost/8080`. */
const MAYBE_PORT = /^[^_:]+_\d{1,5}$/s;

/**
 * What programs that synchronise or save add to the name of a copy. What URLs may end in just as well,
 * such as `-LAPTOP` or `_1`, is not in it.
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
  return shortened(name.slice(0, FIRST_PART_LENGTH), url);
}

/** The name for a feed whose plain name another feed has. No URL has it as its plain name. */
export function hashedFileName(url: string): string {
  const plain = feedFileName(url).slice(0, -FEED_SUFFIX.length);
  // A percent sign that no digit follows is no percent-encoding.
  return shortened(`${plain.slice(0, FIRST_PART_LENGTH - 1)}%`, url);
}

function shortened(firstPart: string, url: string): string {
  const hash = createHash("sha256").update(url).digest("hex");
  return `${firstPart}~${hash}${FEED_SUFFIX}`;
}

/**
 * The URL that the file `STEM.feed` stands for, where no `.feed.json` says so.
 * `undefined` when the name does not say: it is no URL with `://`, the shortened form of one, not
 * exactly what {@linkcode feedFileName} writes for it, as with copies, or may stand for several.
 */
export function urlOfStem(stem: string): string | undefined {
  const url = guessUrl(stem);
  return url !== undefined && findNameProblem(stem) === undefined ? url : undefined;
}

/** The normalised URL that the file `name` stands for, where no `.feed.json` says so. */
export function urlOfName(name: string): string | undefined {
  const stem = name.slice(0, -FEED_SUFFIX.length);
  // The second form is for names that are percent-encoded as a whole.
  const url = urlOfStem(percentEncodeEscapes(stem, "%")) ??
    urlOfStem(percentEncodeEscapes(stem, "%25"));
  return url === undefined ? undefined : feedIdentity(url);
}

/** Why a name that looks like a URL is not taken for one, and how to name it. */
export function findNameProblem(stem: string): string | undefined {
  const url = guessUrl(stem);
  if (url === undefined) return undefined;
  if (COPY.test(stem) || /[\s\p{Cc}]/u.test(stem)) {
    return "it looks like a copy of the file of another feed";
  }
  const python = PYTHON_FORM.exec(stem);
  if (python) {
    const isUnambiguous = UNAMBIGUOUS.test(python[2]) && !MAYBE_PORT.test(python[2]);
    return isUnambiguous
      ? undefined
      : "its name may stand for several URLs, as '_' is '/', ':' or itself";
  }
  const written = feedFileName(url);
  return written === stem + FEED_SUFFIX
    ? undefined
    : `its name is not exactly the one of a feed, which would be '${written}'`;
}

/** What the name seems to stand for, whether or not exactly. */
function guessUrl(stem: string): string | undefined {
  if (LONG_FORM.test(stem)) return undefined;
  const decoded = decode(stem);
  if (decoded !== undefined && isUrl(decoded)) return decoded;
  const python = PYTHON_FORM.exec(stem);
  if (!python) return undefined;
  const url = `${python[1]}://${python[2].replaceAll("_", "/")}`;
  return isUrl(url) ? url : undefined;
}

/** `todo:monday` parses as a URL, and is hardly meant to be one. */
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
