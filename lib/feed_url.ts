/**
 * Normalises the URLs of feeds, so that each feed has one URL, however it was written.
 *
 * @module
 */
import { InvalidUpdateError } from "./errors.ts";

/** Maximum length of a URL: it must fit into an environment variable, and a line of a log. */
export const MAX_URL_LENGTH: number = 32 * 1024;

/** Allowed schemes of feeds, unless the configuration sets others. */
export const DEFAULT_URL_SCHEMES: readonly string[] = ["http", "https"];

/** Options of {@linkcode normalizeFeedUrl}. */
export interface FeedUrlOptions {
  /** Allowed schemes, in lower case, without the colon. @default ["http", "https"] */
  readonly schemes?: readonly string[] | undefined;
}

/**
 * Returns the normalised URL under which feedsync publishes a feed: serialised according to the URL
 * Standard (scheme and host in lower case, IDN as punycode, no default port), without fragment, and
 * without the prefix `feed:`. `feed://` stands for `http://`. User and password are kept.
 *
 * @example
 * ```ts
 * import { normalizeFeedUrl } from "@feedsync/feedsync";
 * import assert from "node:assert/strict";
 *
 * const url = normalizeFeedUrl("feed:HTTPS://Example.com:443/feed#top");
 * assert.equal(url, "https://example.com/feed");
 * ```
 *
 * @throws {InvalidUpdateError} with a suggestion, when the text is not an absolute URL, has another
 * scheme, contains white space, control or invisible characters, or is longer than 32,768
 * characters.
 */
export function normalizeFeedUrl(
  url: string | URL,
  { schemes = DEFAULT_URL_SCHEMES }: FeedUrlOptions = {},
): string {
  const text = url instanceof URL ? url.href : url;
  const result = read(text);
  if (typeof result === "string") throw invalid(text, result);
  const scheme = result.protocol.slice(0, -1);
  if (!schemes.includes(scheme)) throw invalid(text, wrongScheme(text, scheme, schemes));
  return result.href;
}

/**
 * Returns the identity of a feed whose URL was not checked, as in updates of older servers: the
 * normalised URL, whatever its scheme, or the text itself if it is not a URL.
 */
export function feedIdentity(url: string): string {
  if (NORMALIZED.test(url)) return url;
  const result = read(url);
  return typeof result === "string" ? url : result.href;
}

/**
 * Whether updates with this URL are read. This is more than can be published: older servers
 * accepted any absolute URL that is not too long and has no NUL.
 */
export function isReadableFeedUrl(url: string): boolean {
  if (url.length > MAX_URL_LENGTH) return false;
  return NORMALIZED.test(url) || URL.canParse(url) && url.isWellFormed() && !url.includes("\0");
}

/**
 * Returns the URL for logs and messages, without its password.
 *
 * @example
 * ```ts
 * import { shownUrl } from "@feedsync/feedsync/plugin";
 * import assert from "node:assert/strict";
 *
 * assert.equal(shownUrl("https://me:SECRET@example.com/feed"), "https://me:…@example.com/feed");
 * ```
 */
export function shownUrl(url: string): string {
  const start = BEFORE_HOST.exec(url)?.[0].length ?? 0;
  const length = url.slice(start).search(/[/\\?#]/);
  const authority = url.slice(start, length < 0 ? undefined : start + length);
  const colon = authority.indexOf(":"), at = authority.lastIndexOf("@");
  if (colon < 0 || at < colon) return url;
  return `${url.slice(0, start + colon)}:…${url.slice(start + at)}`;
}

/**
 * Matches most normalised URLs without parsing them: catching up reads 60,000 updates a second.
 * Other URLs are parsed, for example those with short ports, which may be the default, or with
 * segments that begin with a dot.
 */
const NORMALIZED = (() => {
  const host = "(?:[a-z0-9_-]+\\.)+[a-z]+(?::[1-9]\\d{3})?";
  const encoded = "%(?!2[eE])[\\da-fA-F]{2}"; // %2e is a dot, too.
  const plain = "\\w~!$&()*+,;=:@-";
  const segment = `(?:[${plain}]|${encoded})(?:[.${plain}]|${encoded})*`;
  return new RegExp(`^https?://${host}(?:/(?:${segment})?)+(?:\\?[./?%${plain}]*)?$`);
})();

/** The part before user and host, up to a slash. */
const BEFORE_HOST = /^[^/\\?#@]*[/\\]+/;

/**
 * Characters that the URL Standard drops or encodes silently. Joiners (U+200C, U+200D) belong to
 * words.
 */
const UNSEEN = /[\s\p{Cc}\p{Z}]|(?![\u200c\u200d])\p{Cf}/u;

const FEED_SCHEME = /^(?:feed:)+/i;

/**
 * Parses and normalises a URL; returns the problem, as the end of a sentence that begins with "it",
 * if it is invalid.
 */
function read(text: string): URL | string {
  if (typeof text !== "string") return "it must be a string";
  if (text.length > MAX_URL_LENGTH) return tooLong(text);
  if (!text.isWellFormed()) return "it holds a lone surrogate, which is half of a character";
  const unseen = UNSEEN.exec(text);
  if (unseen) return mustNotHold(unseen[0], text);
  const bare = text.replace(FEED_SCHEME, "");
  const url = URL.parse(bare !== text && bare.startsWith("//") ? `http:${bare}` : bare);
  if (url === null) return notAbsolute(bare);
  url.hash = "";
  return url.href.length > MAX_URL_LENGTH ? tooLong(url.href) : url;
}

function invalid(url: unknown, problem: string): InvalidUpdateError {
  const given = typeof url === "string" ? quote(url) : typeof url;
  return new InvalidUpdateError(`Cannot use ${given} as the URL of a feed: ${problem}`);
}

function tooLong({ length }: string): string {
  return `it has ${length} characters, at most ${MAX_URL_LENGTH} are allowed`;
}

function mustNotHold(character: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed !== text && !UNSEEN.test(trimmed)) {
    return `it has white space around it; write ${quote(trimmed)}`;
  }
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  if (/[\t\n\r]|[^\s\p{Z}]/u.test(character)) {
    return `it holds an invisible character (U+${code}); remove it`;
  }
  return `it holds white space (U+${code}); write ${encodeURIComponent(character)} instead`;
}

function notAbsolute(text: string): string {
  if (text === "") return "it is empty";
  const guess = withScheme(text);
  if (guess !== undefined) return `its scheme is missing; write ${quote(guess)}`;
  return /^[a-z][a-z0-9+.-]*:/i.test(text)
    ? "it is not a valid URL; check its host and port"
    : 'it is not an absolute URL; write one such as "https://example.com/feed.xml"';
}

function wrongScheme(text: string, scheme: string, schemes: readonly string[]): string {
  if (/^[a-z]$/.test(scheme)) {
    return "it looks like the path of a file; write the URL that the feed is fetched from";
  }
  const bare = text.replace(FEED_SCHEME, "");
  const guess = withScheme(bare);
  if (guess !== undefined) return `its scheme is missing; write ${quote(guess)}`;
  return `its scheme must be ${schemes.join(" or ")}, not ${scheme}; the key 'urlSchemes' of the ` +
    "configuration allows others";
}

/**
 * Adds the scheme to a text such as `example.com/feed.xml` or `localhost:80`; undefined if it does
 * not begin with a host.
 */
function withScheme(text: string): string | undefined {
  const groups = /^(?:\/\/)?(?<rest>(?<host>[^/\\?#@:.][^/\\?#@:]*)(?<port>:\d+)?(?:[/?#].*)?)$/s
    .exec(text)?.groups;
  if (!groups) return undefined;
  const { rest, host, port } = groups;
  const isHost = port !== undefined || host.includes(".");
  return isHost && URL.canParse(`https://${rest}`) ? `https://${rest}` : undefined;
}

function quote(url: string): string {
  const shown = shownUrl(url);
  return JSON.stringify(shown.length > 200 ? `${shown.slice(0, 200)}…` : shown);
}
