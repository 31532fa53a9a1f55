/**
 * When a feed's turn is.
 *
 * @module
 */
import { delayBoundMs } from "../../base/backoff.ts";
import { MAX_FEED_PAUSE_MS, MIN_BACKOFF_MS } from "./consequences.ts";

/** A feed that was handed out is not handed out again for so long. */
export const LEASE_MS: number = 5 * 60 * 1000;

/** Turns are spread by up to this part of the interval. */
const SPREAD = 0.05;

/** Backoff is shortened by up to this part. */
const BACKOFF_JITTER = 0.1;

/** A turn that is closer than this part of the interval may come now, and half a delay of asks. */
const SLACK = 0.1, SLACK_OF_ASKS = 0.5;

/** The store's clock may seem to go back by so much; what is later does not count. */
export const CLOCK_TOLERANCE_MS: number = 60_000;

/** What determines the next turn of a feed. Times are by the store's clock. */
export interface Schedule {
  /** How often it is to be fetched. */
  readonly everyMs: number;
  /** When it was checked last; 0: never. */
  readonly checkedAt: number;
  /** Not to be fetched before. */
  readonly notBefore: number;
  /** A number from 0 to 1 that differs between feeds. */
  readonly phase: number;
}

/**
 * When the next turn of a feed is, at most `slackMs` earlier: but never before the publisher wants
 * it. Times that cannot be right do not count.
 */
export function nextTurn(
  { everyMs, checkedAt, notBefore, phase }: Schedule,
  now: number,
  slackMs = 0,
): number {
  const isChecked = checkedAt > 0 && checkedAt <= now + CLOCK_TOLERANCE_MS;
  const intervalMs = everyMs * (1 + SPREAD * spreadOf(phase, checkedAt)) - slackMs;
  const regular = isChecked ? checkedAt + intervalMs : 0;
  const isAsked = notBefore <= now + MAX_FEED_PAUSE_MS + CLOCK_TOLERANCE_MS;
  return isAsked ? Math.max(regular, notBefore) : regular;
}

/** How much earlier than its turn a feed may be fetched: who asks rarely would skip a turn else. */
export function slackMs(everyMs: number, askedEveryMs: number): number {
  return Math.min(SLACK_OF_ASKS * askedEveryMs, SLACK * everyMs);
}

/** Until when a feed is leased; 0: it is not. A longer lease than there is does not count. */
export function leaseEnd(leasedUntil: number, now: number): number {
  return leasedUntil > now && leasedUntil <= now + LEASE_MS + CLOCK_TOLERANCE_MS ? leasedUntil : 0;
}

/** How long to leave a feed alone after so many failures in a row; `fraction` is random. */
export function backoffMs(everyMs: number, failures: number, fraction: number): number {
  const minMs = Math.max(MIN_BACKOFF_MS, everyMs);
  const bound = delayBoundMs({ minMs, maxMs: MAX_FEED_PAUSE_MS }, failures);
  return bound * (1 - BACKOFF_JITTER * fraction);
}

/** Another fraction after each check, without keeping it. */
function spreadOf(phase: number, checkedAt: number): number {
  const sum = phase + (checkedAt % 9973) / 9973;
  return sum - Math.floor(sum);
}
