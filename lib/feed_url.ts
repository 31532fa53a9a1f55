/**
 * The URL that a feed is known by: one feed, one URL, however it was written.
 *
 * @module
 */
import { InvalidUpdateError } from "./errors.ts";

/** A longer URL would not fit into the environment of a process, or a line of a log. */
export const MAX_URL_LENGTH: number = 32 * 1024;

/** The schemes that feeds may have unless the configuration says otherwise. */
export const DEFAULT_URL_SCHEMES: readonly string[] = ["http", "https"];

/** Options of {@linkcode normalizeFeedUrl}. */
export interface FeedUrlOptions {
  /** The schemes that are accepted, in lower case, without the colon. @default ["http", "https"] */
  readonly schemes?: readonly string[] | undefined;
}

/**
 * Returns the one form of a feed's URL under which feedsync publishes it: as the URL Standard
 * serialises it (scheme and host in lower case, IDN as punycode, no default port), without fragment,
 * and without `feed:` in front. `feed://` stands for `http://`. User and password are kept.
 *
 * @example
 * ```ts
 * import { normalizeFeedUrl } from "@feedsync/feedsync";
 * import assert from "node:assert/strict";
 *
 * assert.equal(normalizeFeedUrl("feed:HTTPS://Example.com:443/feed#top"), "https://example.com/feed");
 * ```
 *
 * @throws {InvalidUpdateError} that says what to write instead, when the text is no absolute URL, has
 * another scheme, holds white space, control characters or invisible ones, or is longer than 32,768
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
 * Returns what tells a feed from others where its URL was not checked, as in updates of older
 * servers: its normalised URL, whatever the scheme, or the text itself when it has none.
 */
export function feedIdentity(url: string): string {
  if (NORMALIZED.test(url)) return url;
  const result = read(url);
  return typeof result === "string" ? url : result.href;
}

/**
 * Whether updates with this URL are read. More than is published: older servers accepted whatever is
 * absolute, not too long, and whole wherever NUL ends a text.
 */
export function isReadableFeedUrl(url: string): boolean {
  return url.length <= MAX_URL_LENGTH && URL.canParse(url) && url.isWellFormed() &&
    !url.includes("\0");
}

/**
 * The URL for logs and messages, without its password.
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
 * Most URLs, told to be normalised without parsing them: catching up reads 60,000 a second. What is not
 * obvious, such as short ports, which may be the default, and segments that begin with a dot, is parsed.
 */
const NORMALIZED = (() => {
  const host = "(?:[a-z0-9_-]+\\.)+[a-z]+(?::[1-9]\\d{3})?";
  const encoded = "%(?!2[eE])[\\da-fA-F]{2}"; // %2e is a dot, too.
  const plain = "\\w~!$&()*+,;=:@-";
  const segment = `(?:[${plain}]|${encoded})(?:[.${plain}]|${encoded})*`;
  return new RegExp(`^https?://${host}(?:/(?:${segment})?)+(?:\\?[./?%${plain}]*)?$`);
})();

/** What comes before user and host, as far as it ends with a slash. */
const BEFORE_HOST = /^[^/\\?#@]*[/\\]+/;

/** What the URL Standard drops or encodes in silence. Joiners (U+200C, U+200D) belong to words. */
const UNSEEN = /[\s\p{Cc}\p{Z}]|(?![\u200c\u200d])\p{Cf}/u;

const FEED_SCHEME = /^(?:feed:)+/i;

/** The normalised URL, or what is wrong with it as the end of a sentence that begins with "it". */
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

/** What is meant by `example.com/feed.xml` or `localhost:80`; undefined when it looks like no host. */
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
