/**
 * How feeds of all kinds answer.
 *
 * @module
 */
import type { IncomingHttpHeaders } from "node:http";
import { gzipSync } from "node:zlib";

/** What a feed is asked. */
export interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  /** Its content now. */
  readonly content: Uint8Array;
  /** Number of the content: it changes with it. */
  readonly version: number;
  /** Number of requests before this one. */
  readonly before: number;
}

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Whether the connection is closed in the middle of the body. */
  readonly isCutOff?: boolean;
}

/** What a feed answers; nothing: it keeps the client waiting, or closes the connection. */
export type Answer = HttpAnswer | "nothing" | "closed";

/** A Retry-After that tests can wait for. */
export const RETRY_AFTER_MS = 4_000;

/** More than a feed may have: 64 MiB, 64 kB as gzip. */
const HUGE = gzipSync(new Uint8Array(64 * 1024 * 1024));

/** The kinds of feeds, and how they answer. */
export const ANSWERS = {
  etag: byETag,
  modified({ headers, content, version }) {
    const modified = new Date(Date.UTC(2026, 0, 1) + version * 1_000).toUTCString();
    const isKnown = headers["if-modified-since"] === modified;
    return isKnown ? { status: 304 } : ok(content, { "last-modified": modified });
  },
  gzip(asked) {
    const answer = byETag(asked);
    if (!answer.body || !/\bgzip\b/.test(asked.headers["accept-encoding"] ?? "")) return answer;
    const headers = { ...answer.headers, "content-encoding": "gzip", vary: "accept-encoding" };
    return { ...answer, headers, body: gzipSync(answer.body) };
  },
  latin1: byETag,
  ttl: byETag,
  maxAge: (asked) => withHeaders(byETag(asked), { "cache-control": "public, max-age=60" }),
  temporary(asked) {
    if (asked.path.endsWith("?target")) return byETag(asked);
    return { status: 302, headers: { location: "?target" } };
  },
  moved: () => ({ status: 301, headers: { location: "https://example.org/moved.xml" } }),
  gone: () => ({ status: 410 }),
  busy: (asked) => busy(asked, String(RETRY_AFTER_MS / 1_000)),
  busyUntil: (asked) => busy(asked, new Date(Date.now() + RETRY_AFTER_MS).toUTCString()),
  slow: () => "nothing",
  closed: () => "closed",
  truncated: ({ content }) => ({ ...ok(content), isCutOff: true }),
  huge: () => ok(HUGE, { "content-encoding": "gzip" }),
  internal: () => ({ status: 302, headers: { location: "file:///etc/hostname" } }),
} as const satisfies Record<string, (asked: Asked) => Answer>;

/** What a feed is like. */
export type FeedKind = keyof typeof ANSWERS;

/** Content number `version` of the feed at `url`. */
export function contentOf({ url, kind }: { url: string; kind: FeedKind }, version: number) {
  const ttl = kind === "ttl" ? "<ttl>1</ttl>" : "";
  const text = `<rss version="2.0"><channel><title>Actualités ${version}</title>` +
    `<link>${url}</link>${ttl}</channel></rss>\n`;
  if (kind !== "latin1") return new TextEncoder().encode(text);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function byETag({ headers, content, version }: Asked): HttpAnswer {
  const etag = `"v${version}"`;
  return headers["if-none-match"] === etag
    ? { status: 304, headers: { etag } }
    : ok(content, { etag });
}

/** Asks to wait at first. */
function busy(asked: Asked, retryAfter: string): HttpAnswer {
  if (asked.before > 0) return byETag(asked);
  return { status: 429, headers: { "retry-after": retryAfter } };
}

function ok(body: Uint8Array, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status: 200, headers: { "content-type": "application/rss+xml", ...headers }, body };
}

function withHeaders(answer: HttpAnswer, headers: Readonly<Record<string, string>>): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}
