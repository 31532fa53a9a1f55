/**
 * Turns of a server that shares nothing, because feedsync is disabled: each feed comes once an
 * interval. This is remembered until the process ends.
 *
 * @module
 */
import type { Clock } from "../../base/environment.ts";
import { messageOf } from "../../errors.ts";
import { normalizeFeedUrl } from "../../feed_url.ts";
import { type Consequences, consequencesOf } from "./consequences.ts";
import type { CheckedFeed, CheckOutcome } from "./outcome.ts";
import { LEASE_MS } from "./schedule.ts";
import type { Turn } from "./turn.ts";

/** What is asked. */
export interface SoloAsk {
  /** How often each feed is to be fetched, in milliseconds. */
  readonly everyMs: number;
  /** Maximum number of feeds that are due. */
  readonly limit: number;
}

interface SoloFeed {
  everyMs: number;
  /** When its turn is, in milliseconds since 1970. */
  nextAt: number;
}

/** Takes all turns. */
export class SoloTurns {
  readonly #clock: Pick<Clock, "now">;
  readonly #schemes: readonly string[];
  readonly #feeds = new Map<string, SoloFeed>();

  /** Remembers nothing yet. */
  constructor(clock: Pick<Clock, "now">, schemes: readonly string[]) {
    this.#clock = clock;
    this.#schemes = schemes;
  }

  /** Whether each feed is to be fetched now. */
  due(urls: readonly string[], { everyMs, limit }: SoloAsk): Turn[] {
    const now = this.#clock.now();
    let left = limit;
    return urls.map((url): Turn => {
      const feed = this.#feedAt(url, everyMs);
      if (typeof feed === "string") return { url, due: false, reason: "invalid", problem: feed };
      const until = new Date(feed.nextAt).toISOString();
      if (feed.nextAt > now) return { url, due: false, reason: "fresh", until };
      if (left-- <= 0) return { url, due: false, reason: "limit" };
      feed.nextAt = now + LEASE_MS;
      const leasedUntil = new Date(feed.nextAt).toISOString();
      return { url, due: true, validators: {}, headers: {}, leasedUntil };
    });
  }

  /** Notes what came of fetching the feed with this normalised URL. Throws if the outcome is not valid. */
  checked(url: string, outcome: CheckOutcome): CheckedFeed {
    const now = this.#clock.now();
    const consequences = consequencesOf(outcome, { url, schemes: this.#schemes, now });
    const feed = this.#feeds.get(url);
    const nextAt = now + waitMs(consequences, feed?.everyMs ?? 0);
    if (feed) feed.nextAt = nextAt;
    const { movedTo, isGone } = consequences;
    return {
      url,
      next: new Date(nextAt).toISOString(),
      ...movedTo !== undefined && { movedTo },
      ...isGone && { gone: true },
    };
  }

  /** The feed, or why there is none. */
  #feedAt(url: string, everyMs: number): SoloFeed | string {
    let normalized: string;
    try {
      normalized = normalizeFeedUrl(url, { schemes: this.#schemes });
    } catch (error) {
      return messageOf(error);
    }
    const feed = this.#feeds.get(normalized) ?? { everyMs, nextAt: 0 };
    feed.everyMs = everyMs;
    this.#feeds.set(normalized, feed);
    return feed;
  }
}

function waitMs({ pauseMs = 0, ttlMs = 0 }: Consequences, everyMs: number): number {
  return Math.max(everyMs, pauseMs, ttlMs);
}
