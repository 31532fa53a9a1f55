/**
 * What follows from the answer of a publisher. feedsync does what publishers ask for; what concerns
 * the subscription itself is left to the application.
 *
 * @module
 */
import { parseDuration } from "../../base/duration.ts";
import { normalizeFeedUrl } from "../../feed_url.ts";
import { MAX_VALIDATOR } from "../../log/fleet/checks.ts";
import type { CheckOutcome } from "./outcome.ts";
import type { Validators } from "./turn.ts";

/** No publisher, and no backoff, holds a feed for longer. */
export const MAX_FEED_PAUSE_MS: number = 24 * 60 * 60 * 1000;

/** The first backoff is at least so long. */
export const MIN_BACKOFF_MS = 60_000;

/** What follows from an outcome. */
export interface Consequences {
  /** Whether the feed was fetched, or is known to be unchanged. */
  readonly isSuccess: boolean;
  /** For how long the publisher asks not to be asked again, in milliseconds. */
  readonly pauseMs: number | undefined;
  /** How long the feed itself asks not to be fetched again, in milliseconds, if it says so. */
  readonly ttlMs: number | undefined;
  /** The validators in the answer. */
  readonly validators: Validators;
  /** Where the feed has moved permanently. */
  readonly movedTo: string | undefined;
  /** Whether it is gone for good. */
  readonly isGone: boolean;
}

/** What is known beside the outcome. */
export interface OutcomeContext {
  /** Normalised URL of the feed. */
  readonly url: string;
  /** Allowed schemes of feeds. */
  readonly schemes: readonly string[];
  /** The store's time. */
  readonly now: number;
}

/**
 * Concludes what follows from an outcome.
 *
 * @throws {TypeError | RangeError} when the outcome is no outcome.
 */
export function consequencesOf(outcome: CheckOutcome, context: OutcomeContext): Consequences {
  const { status, error, ttl } = outcome;
  if (status !== undefined && !(Number.isInteger(status) && status >= 100 && status <= 599)) {
    throw new RangeError(`'status' must be an HTTP status from 100 to 599, not ${status}`);
  }
  const headers = headersOf(outcome.headers);
  const isSuccess = error === undefined && isSuccessful(status);
  return {
    isSuccess,
    pauseMs: isSuccess ? freshForMs(headers) : retryAfterMs(status, headers, context.now),
    ttlMs: ttl === undefined ? undefined : capped(parseDuration(ttl)),
    validators: validatorsIn(headers),
    movedTo: movedTo(status, headers, context),
    isGone: status === 410,
  };
}

/** Validators that can be sent in a header; others count as absent. */
export function usableValidators({ etag, lastModified }: Validators): Validators {
  return {
    ...isUsable(etag) && { etag },
    ...isUsable(lastModified) && { lastModified },
  };
}

function isUsable(validator: string | undefined): boolean {
  return validator !== undefined && validator.length <= MAX_VALIDATOR &&
    /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(validator);
}

function validatorsIn(headers: Headers): Validators {
  const etag = headers.get("etag") ?? undefined;
  return usableValidators({ etag, lastModified: headers.get("last-modified") ?? undefined });
}

/** What has moved or is gone was fetched successfully, too: it is no failure of the publisher. */
function isSuccessful(status: number | undefined): boolean {
  if (status === undefined) return false;
  return (status >= 200 && status <= 399 && status !== 305 && status !== 306) || status === 410;
}

/** Headers that are not valid are left out: publishers send all kinds. */
function headersOf(given: CheckOutcome["headers"]): Headers {
  if (given instanceof Headers) return given;
  const headers = new Headers();
  for (const [name, value] of Object.entries(given ?? {})) {
    try {
      headers.append(name, value);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return headers;
}

/** How long the answer stays fresh, by Cache-Control; undefined when it does not say. */
function freshForMs(headers: Headers): number | undefined {
  const directives = (headers.get("cache-control") ?? "").toLowerCase().split(",")
    .map((directive) => directive.trim());
  if (directives.some((directive) => /^no-(?:cache|store)$/.test(directive))) return undefined;
  const maxAge = directives.map((directive) => /^max-age="?(\d+)"?$/.exec(directive)?.[1])
    .find((seconds) => seconds !== undefined);
  if (maxAge === undefined) return undefined;
  const age = /^\d+$/.exec(headers.get("age")?.trim() ?? "")?.[0] ?? 0;
  return capped((Number(maxAge) - Number(age)) * 1000);
}

/** For how long a publisher that is busy asks to be left alone; undefined when it does not say. */
function retryAfterMs(
  status: number | undefined,
  headers: Headers,
  now: number,
): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || (status !== 429 && status !== 503)) return undefined;
  if (/^\d+$/.test(text)) return capped(Number(text) * 1000);
  const date = httpDate(text);
  if (date === undefined) return undefined;
  return capped(date - (httpDate(headers.get("date") ?? "") ?? now));
}

/** Reads a date in any of the three forms of HTTP, of which only one names its time zone. */
function httpDate(text: string): number | undefined {
  if (!/^[a-z]{3,9},? /i.test(text)) return undefined; // A number is no date.
  const time = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

/** Where the feed has moved, if that is another feed's URL. */
function movedTo(
  status: number | undefined,
  headers: Headers,
  { url, schemes }: OutcomeContext,
): string | undefined {
  const location = headers.get("location");
  if (location === null || (status !== 301 && status !== 308)) return undefined;
  const target = URL.parse(location, url);
  if (!target) return undefined;
  try {
    const moved = normalizeFeedUrl(target, { schemes });
    return moved === url ? undefined : moved;
  } catch {
    return undefined;
  }
}

function capped(ms: number): number {
  return Math.min(MAX_FEED_PAUSE_MS, Math.max(0, ms));
}
