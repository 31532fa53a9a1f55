/**
 * Decides for each feed whether it is handed out now, and if not, why.
 *
 * @module
 */
import type { Core } from "../../state/core.ts";
import type { NewestRow } from "../../state/newest.ts";
import type { Feed } from "./feed.ts";
import { type FeedTable, InvalidUrl } from "./feed_table.ts";
import { MAX_FEED_PAUSE_MS } from "./consequences.ts";
import { formerOwners, HANDOVER_MS } from "./owners.ts";
import { CLOCK_TOLERANCE_MS, LEASE_MS, leaseEnd, nextTurn, slackMs } from "./schedule.ts";
import type { Turn, Validators, WaitingReason, WaitingTurn } from "./turn.ts";

/** Maximum number of hosts that are left alone. */
const MAX_HELD = 10_000;

/** What was asked. */
export interface Question {
  /** The URLs as asked. */
  readonly urls: readonly string[];
  /** Their feeds. */
  readonly found: readonly (Feed | InvalidUrl)[];
  readonly limit: number;
  /** Observed delay between asks, in milliseconds. */
  readonly askedEveryMs: number;
}

/** A feed whose turn it may be. */
interface Candidate {
  readonly place: number;
  readonly feed: Feed;
  readonly nextAt: number;
  /** Orders feeds that are equally overdue. */
  readonly chance: number;
}

interface Waiting {
  readonly reason: WaitingReason;
  readonly untilMs?: number | undefined;
  readonly owner?: string | undefined;
}

/** Hands feeds out. */
export class HandingOut {
  readonly #core: Core;
  readonly #table: FeedTable;

  constructor(core: Core, table: FeedTable) {
    this.#core = core;
    this.#table = table;
  }

  /** Answers a question; what is due is handed out to the caller. */
  answer(question: Question): Turn[] {
    const { urls, found } = question;
    const now = this.#core.log.now(), held = this.held(now);
    const turns = new Array<Turn>(urls.length), candidates: Candidate[] = [];
    for (let place = 0; place < urls.length; place++) {
      const feed = found[place], url = urls[place];
      if (feed instanceof InvalidUrl) {
        turns[place] = { url, due: false, reason: "invalid", problem: feed.problem };
        continue;
      }
      const { answer } = feed;
      if (answer?.url === url && now < feed.answerUntil) {
        turns[place] = answer;
        continue;
      }
      const nextAt = nextTurn(feed, now);
      const waiting = this.#whyWaiting(feed, { now, nextAt, held, question });
      if (waiting) turns[place] = remembered(feed, waiting, { url, nextAt, now });
      else {
        candidates.push({ place, feed, nextAt, chance: this.#core.environment.random.fraction() });
      }
    }
    if (candidates.length > 0) this.#handOut(candidates, { now, turns, held, question });
    return turns;
  }

  /** The hosts and domains that are left alone, and until when. */
  held(now: number): ReadonlyMap<string, number> {
    const rows = this.#core.state.turns.held(Math.round(now), MAX_HELD);
    const limit = now + MAX_FEED_PAUSE_MS + CLOCK_TOLERANCE_MS;
    return new Map(
      rows.filter(({ until }) => until <= limit).map(({ host, until }) => [host, until]),
    );
  }

  /** Hands out the most overdue ones, as long as nothing is in the way. */
  #handOut(
    candidates: Candidate[],
    { now, turns, held, question }: {
      readonly now: number;
      readonly turns: Turn[];
      readonly held: ReadonlyMap<string, number>;
      readonly question: Question;
    },
  ): void {
    candidates.sort((a, b) => a.nextAt - b.nextAt || a.chance - b.chance);
    const leasedUntil = Math.round(now) + LEASE_MS;
    const leasedText = new Date(leasedUntil).toISOString();
    let left = question.limit;
    this.#table.change(() => {
      for (const { place, feed } of candidates) {
        const url = question.urls[place];
        const nextAt = nextTurn(feed, now);
        let waiting = this.#whyWaiting(feed, { now, nextAt, held, question });
        if (!waiting && left <= 0) waiting = { reason: "limit" };
        const newest = waiting ? undefined : this.#core.state.newest.get(feed.url);
        waiting ??= this.#whyFresh(feed, { newest, now, held, question });
        if (waiting) {
          turns[place] = answerOf(url, waiting);
          continue;
        }
        left--;
        const validators = validatorsFor(feed, newest);
        feed.leasedUntil = leasedUntil;
        feed.publishedHash = null;
        this.#table.touch(feed);
        turns[place] = {
          url,
          due: true,
          validators,
          headers: conditionsOf(validators),
          leasedUntil: leasedText,
        };
      }
    });
  }

  /** An update that another server has published shows that it has checked the feed. */
  #whyFresh(
    feed: Feed,
    { newest, now, held, question }: {
      readonly newest: NewestRow | undefined;
      readonly now: number;
      readonly held: ReadonlyMap<string, number>;
      readonly question: Question;
    },
  ): Waiting | undefined {
    if (!newest || newest.time <= feed.checkedAt || newest.time > now + CLOCK_TOLERANCE_MS) return;
    feed.checkedAt = newest.time;
    this.#table.touch(feed);
    return this.#whyWaiting(feed, { now, nextAt: nextTurn(feed, now), held, question });
  }

  #whyWaiting(
    feed: Feed,
    { now, nextAt, held, question }: {
      readonly now: number;
      readonly nextAt: number;
      readonly held: ReadonlyMap<string, number>;
      readonly question: Question;
    },
  ): Waiting | undefined {
    if (!feed.isOurs) return { reason: "owner", owner: feed.owner };
    if (feed.takenFrom !== null) {
      const [owner] = formerOwners(feed.takenFrom);
      return { reason: "owner", owner, untilMs: feed.takenAt + HANDOVER_MS };
    }
    const leasedUntil = leaseEnd(feed.leasedUntil, now);
    if (leasedUntil > 0) return { reason: "leased", untilMs: leasedUntil };
    if (nextTurn(feed, now, slackMs(feed.everyMs, question.askedEveryMs)) > now) {
      return { reason: feed.failures > 0 ? "backoff" : "fresh", untilMs: nextAt };
    }
    const heldUntil = Math.max(held.get(feed.host) ?? 0, held.get(feed.domain) ?? 0);
    if (heldUntil > now) return { reason: "backoff", untilMs: heldUntil };
    const domainUntil = leaseEnd(this.#table.leasedIn(feed.domain)?.leasedUntil ?? 0, now);
    return domainUntil > 0 ? { reason: "leased", untilMs: domainUntil } : undefined;
  }
}

/**
 * Validators of the newest known content. A wrong 304 would lose an update for good: where no
 * update is known, the application itself must have named the content.
 */
export function validatorsFor(feed: Feed, newest: NewestRow | undefined): Validators {
  const { etag, lastModified, contentHash, isOwnContent } = feed;
  if (contentHash === null) return {};
  const isNewest = newest ? newest.hash === contentHash : isOwnContent === 1;
  if (!isNewest) return {};
  return { ...etag !== null && { etag }, ...lastModified !== null && { lastModified } };
}

function conditionsOf({ etag, lastModified }: Validators): Record<string, string> {
  return {
    ...etag !== undefined && { "If-None-Match": etag },
    ...lastModified !== undefined && { "If-Modified-Since": lastModified },
  };
}

/** The answer, kept with the feed as long as it holds whatever the delay between asks. */
function remembered(
  feed: Feed,
  waiting: Waiting,
  { url, nextAt, now }: { url: string; nextAt: number; now: number },
): WaitingTurn {
  const answer = answerOf(url, waiting);
  const { reason } = waiting;
  if (reason === "owner" && feed.takenFrom === null) feed.answerUntil = Infinity;
  else if (reason === "fresh" || (reason === "backoff" && waiting.untilMs === nextAt)) {
    feed.answerUntil = nextTurn(feed, now, slackMs(feed.everyMs, Infinity));
  } else feed.answerUntil = 0;
  feed.answer = answer;
  return answer;
}

function answerOf(url: string, { reason, untilMs, owner }: Waiting): WaitingTurn {
  return Object.freeze({
    url,
    due: false,
    reason,
    ...untilMs !== undefined && { until: new Date(untilMs).toISOString() },
    ...owner !== undefined && { owner },
  });
}
