/**
 * What the application asks for, and how often: that makes the list of feeds.
 *
 * @module
 */
import { encodeList } from "../../log/fleet/feed_list.ts";
import type { EncodedList } from "../../log/fleet/feed_list.ts";
import type { Core } from "../../state/core.ts";
import { SUFFIXES } from "./domain.ts";
import type { Feed } from "./feed.ts";
import { type FeedTable, InvalidUrl } from "./feed_table.ts";
import type { ListSummary } from "./foreign_lists.ts";
import { CLOCK_TOLERANCE_MS } from "./schedule.ts";

/** A feed stays in the list for so many delays between asks, and at least so long. */
const IDLE_ASKS = 2, MIN_IDLE_MS = 10 * 60 * 1000;

/** A longer delay between asks is an outage. */
const MAX_ASKED_EVERY_MS = 12 * 60 * 60 * 1000;

/** A delay between asks up to this is no outage. */
const BELIEVED_MS = 20 * 60 * 1000;

/** Delays between asks that other servers are told of. */
const TOLD_MS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720].map((minutes) => minutes * 60_000);

/** A delay may be longer than is told by this part. */
const TOLD_TOLERANCE = 0.1;

/** Minimum delay between two lists: an application may ask for a few feeds at a time. */
const RELIST_MS = 60_000;

/** More feeds are not listed: an object must hold them. */
const MAX_OWN_LISTED = 500_000;

/** A feed that nobody asks for any more is forgotten after so long. */
const MEMORY_MS = 2 * 24 * 60 * 60 * 1000;

/** The list that other servers see, and what it means for owners. */
export interface OwnList extends ListSummary {
  readonly encoded: EncodedList;
  readonly digest: string;
}

/** Keeps the times of asks, and the list. */
export class Asks {
  readonly #core: Core;
  readonly #table: FeedTable;
  readonly #options: { readonly idleMs: number | undefined; readonly maxPerDomain: number };
  #askedEveryMs: number;
  #estimatedAt = -Infinity;
  #listedAt = -Infinity;
  #notedAt: number | undefined;
  #hasNews = false;
  #hasLeft = false;
  #list: OwnList | undefined;

  /** Goes on with what the state knows. */
  constructor(
    core: Core,
    table: FeedTable,
    options: { readonly idleMs: number | undefined; readonly maxPerDomain: number },
  ) {
    this.#core = core;
    this.#table = table;
    this.#options = options;
    this.#askedEveryMs = Number(core.state.turns.fact("turnsAskedEveryMs") ?? 0);
  }

  /** The longest delay between two asks for a feed, of late; 0 before the second ask. */
  get askedEveryMs(): number {
    return this.#askedEveryMs;
  }

  /** The same, rounded, so that what other servers see of it does not change all the time. */
  get toldEveryMs(): number {
    const isEnough = (ms: number) => ms * (1 + TOLD_TOLERANCE) >= this.#askedEveryMs;
    return TOLD_MS.find(isEnough) ?? TOLD_MS.at(-1)!;
  }

  /** How long a feed stays in the list that was not asked for again. */
  get idleMs(): number {
    return this.#options.idleMs ?? Math.max(MIN_IDLE_MS, IDLE_ASKS * this.#askedEveryMs);
  }

  /** The list as made last. */
  get list(): OwnList | undefined {
    return this.#list;
  }

  /**
   * Takes over from the state when feeds were asked for by other processes; returns those that are
   * asked for again.
   */
  load(): Feed[] {
    const askedAt = this.#core.state.turns.askedAt(), limit = this.#limit();
    const loaded: Feed[] = [];
    for (const feed of this.#table.all) {
      feed.lastAskedAt = Math.max(feed.lastAskedAt, feed.askedAt ?? askedAt);
      if (feed.lastAskedAt < limit || feed.isCurrent) continue;
      feed.isCurrent = true;
      loaded.push(feed);
    }
    if (loaded.length > 0) this.#hasNews = true;
    return loaded;
  }

  /** Notes that these feeds were asked for; returns those that have no owner so far. */
  note(feeds: readonly (Feed | InvalidUrl)[], everyMs: number): Feed[] {
    const now = this.#core.log.now(), limit = this.#limit();
    const added: Feed[] = [], changed: Feed[] = [];
    let longestMs = 0;
    for (let index = 0; index < feeds.length; index++) {
      const feed = feeds[index];
      if (feed instanceof InvalidUrl) continue;
      if (!feed.isCurrent || feed.lastAskedAt < limit) added.push(feed);
      if (feed.lastAskedAt > 0) longestMs = Math.max(longestMs, now - feed.lastAskedAt);
      feed.lastAskedAt = feed.askedHereAt = now;
      if (feed.everyMs !== everyMs) changed.push(feed);
    }
    for (const feed of added) {
      feed.isCurrent = true;
      feed.owner = undefined;
    }
    if (changed.length > 0) this.#setInterval(changed, everyMs);
    if (added.length > 0) this.#hasNews = true;
    this.#estimate(longestMs, now);
    return added;
  }

  /** Makes the list, if it is time for that, or must be; returns whether it has changed. */
  relist({ isForced = false } = {}): boolean {
    const now = this.#core.log.now();
    if (this.#list && !isForced && Math.abs(now - this.#listedAt) < RELIST_MS) return false;
    this.#listedAt = now;
    this.#leaveIdle();
    if (this.#list && !isForced && !this.#hasNews && !this.#hasLeft) return false;
    this.#hasNews = this.#hasLeft = false;
    const former = this.#list?.digest;
    this.#list = this.#makeList();
    return this.#list.digest !== former;
  }

  /** Stores when feeds were asked for, if the last time was long ago. */
  store({ isLast = false } = {}): void {
    const { log, state: { turns } } = this.#core;
    const now = Math.round(log.now()), former = turns.askedAt();
    const since = this.#notedAt ?? -Infinity;
    if (!isLast && Math.abs(now - since) < this.idleMs / 2) return;
    const isWhole = isLast || this.#notedAt !== undefined;
    this.#notedAt = now;
    this.#table.change(() => {
      for (const feed of this.#table.all) {
        if (feed.askedHereAt > 0 && feed.askedHereAt >= since) {
          if (feed.askedAt === null) continue;
          feed.askedAt = null;
        } else if (feed.askedAt === null && isWhole) {
          feed.askedAt = Math.max(former, Math.round(feed.askedHereAt));
        } else continue;
        this.#table.touch(feed);
      }
      turns.setFact("turnsAskedAt", now);
      turns.setFact("turnsAskedEveryMs", Math.round(this.#askedEveryMs));
      this.#forgetOld(now);
    });
  }

  /**
   * The longest delay of late: cron may ask many times within a minute, and then be silent. A long
   * delay counts at once only up to a limit, since the application may have been stopped.
   */
  #estimate(longestMs: number, now: number): void {
    if (longestMs <= 0) return;
    const known = this.#askedEveryMs, next = Math.min(longestMs, MAX_ASKED_EVERY_MS);
    if (next >= known) {
      this.#askedEveryMs = Math.min(next, Math.max(BELIEVED_MS, 2 * known));
    } else {
      const halves = Math.max(0, now - this.#estimatedAt) / (known / 2);
      this.#askedEveryMs = next + (known - next) * 2 ** -halves;
    }
    this.#estimatedAt = now;
  }

  #setInterval(feeds: readonly Feed[], everyMs: number): void {
    this.#table.change(() => {
      for (const feed of feeds) {
        feed.everyMs = everyMs;
        this.#table.touch(feed);
      }
    });
  }

  #limit(): number {
    return this.#core.log.now() - this.idleMs;
  }

  #leaveIdle(): void {
    const limit = this.#limit(), latest = this.#core.log.now() + CLOCK_TOLERANCE_MS;
    for (const feed of this.#table.all) {
      if (!feed.isCurrent || (feed.lastAskedAt >= limit && feed.lastAskedAt <= latest)) continue;
      feed.isCurrent = feed.isOurs = false;
      feed.owner = feed.ownerClass = undefined;
      this.#hasLeft = true;
    }
  }

  #makeList(): OwnList {
    const { maxPerDomain } = this.#options;
    const listed: Feed[] = [], counts = new Map<string, number>();
    for (const feed of this.#table.all) {
      feed.isListed = feed.isCurrent && listed.length < MAX_OWN_LISTED;
      if (!feed.isListed) continue;
      listed.push(feed);
      counts.set(feed.domain, (counts.get(feed.domain) ?? 0) + 1);
    }
    listed.sort((a, b) => a.feed < b.feed ? -1 : 1);
    const feeds = listed.map(({ feed, domain }) => ({ feed, domain }));
    const encoded = encodeList({ feeds, suffixes: SUFFIXES, maxPerDomain });
    return {
      encoded,
      digest: encoded.digest,
      suffixes: SUFFIXES,
      maxPerDomain,
      domainOf: (feed) => feed.isListed ? feed.domain : undefined,
      largeDomains: counts,
    };
  }

  #forgetOld(now: number): void {
    const old = [...this.#table.all].filter((feed) =>
      !feed.isCurrent && Math.abs(now - feed.lastAskedAt) > Math.max(MEMORY_MS, 2 * feed.everyMs) &&
      now > feed.notBefore
    );
    if (old.length > 0) this.#table.drop(old);
  }
}
