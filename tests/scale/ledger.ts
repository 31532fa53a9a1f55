import { EVERY_MS, type SimFeed } from "./feeds.ts";

const MINUTE_MS = 60_000;

/** Sooner than this part of the interval after the last fetch by anyone is early. */
export const EARLY = 0.9;

/** Later than this after a feed may be fetched again, at the latest, is late. */
export const LATE_MS: number = 4 * MINUTE_MS;

/** Turns are spread by this part of the interval. */
const SPREAD = 0.05;

/** Who fetches, as far as it matters for the statistics. */
export interface Fetcher {
  /** Number of the server. */
  readonly index: number;
  /** Delay between the asks of its application. */
  readonly askedEveryMs: number;
}

/** What happened to a server that explains early fetches after it. */
export type Cause = "crash" | "cut-off" | "outage" | "stop" | "join";

/** Keeps count of all fetches. */
export class Ledger {
  /** What is counted begins then. */
  readonly from: number;
  fetches = 0;
  unconditional = 0;
  late = 0;
  worstLateMs = 0;
  /** Requests that a publisher had asked not to send yet, and that early ones by what preceded them. */
  impolite = 0;
  readonly early = new Map<string, number>();
  /** Time from a crash to the next fetch of each feed of that server. */
  worstTakeoverMs = 0;
  /** The same where the feed went to a server that asks rarely. */
  worstRareTakeoverMs = 0;
  takeovers = 0;
  readonly #feeds: readonly SimFeed[];
  readonly #last: Float64Array;
  readonly #notBefore: Float64Array;
  readonly #lastBy: Int32Array;
  readonly #crashes = new Map<number, number>();
  /** Until when early fetches have that cause. */
  readonly #causes: { readonly cause: Cause; readonly from: number; readonly until: number }[] = [];

  constructor(feeds: readonly SimFeed[], from: number) {
    this.#feeds = feeds;
    this.from = from;
    this.#last = new Float64Array(feeds.length);
    this.#notBefore = new Float64Array(feeds.length);
    this.#lastBy = new Int32Array(feeds.length).fill(-1);
  }

  /** Number of early fetches. */
  get earlyFetches(): number {
    return [...this.early.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Number of feeds that count. */
  get counted(): number {
    return this.#feeds.filter(({ kind }) => kind === "ordinary").length;
  }

  /** Something happened that may have consequences until then. */
  noteCause(cause: Cause, from: number, until: number): void {
    this.#causes.push({ cause, from, until });
  }

  /** A server is gone; its feeds are to be fetched by others. */
  noteCrash(server: number, now: number): void {
    for (const { index, kind } of this.#feeds) {
      if (this.#lastBy[index] === server && kind === "ordinary") this.#crashes.set(index, now);
    }
  }

  /** A request is sent. */
  noteFetch(
    feed: SimFeed,
    by: Fetcher,
    { now, isConditional }: { readonly now: number; readonly isConditional: boolean },
  ): void {
    const { index, kind } = feed;
    const last = this.#last[index];
    if (last > 0 && now >= this.from && kind !== "troubled") {
      if (kind === "ordinary") this.fetches++;
      if (!isConditional) this.unconditional++;
      this.#judge(feed, by, now);
    }
    this.#noteTakeover(index, by, now);
    this.#last[index] = now;
    this.#lastBy[index] = by.index;
  }

  /** Its publisher asks not to be asked again before. */
  noteAnswer({ index }: SimFeed, notBefore: number): void {
    this.#notBefore[index] = notBefore;
  }

  /** Counts as late what is overdue at the end. */
  finish(now: number): void {
    for (const feed of this.#feeds) {
      if (feed.kind === "troubled") continue;
      this.#judgeLate(feed, { index: -1, askedEveryMs: MINUTE_MS }, now);
    }
  }

  #judge(feed: SimFeed, by: Fetcher, now: number): void {
    const { index } = feed;
    if (now - this.#last[index] < EARLY * EVERY_MS) {
      const cause = this.#causeAt(now);
      this.early.set(cause, (this.early.get(cause) ?? 0) + 1);
    }
    if (now < this.#notBefore[index]) this.impolite++;
    this.#judgeLate(feed, by, now);
  }

  #judgeLate({ index }: SimFeed, { askedEveryMs }: Fetcher, now: number): void {
    const regular = this.#last[index] + (1 + SPREAD) * EVERY_MS;
    const dueAt = Math.max(regular, this.#notBefore[index]);
    const lateMs = now - dueAt - Math.max(0, askedEveryMs - MINUTE_MS);
    this.worstLateMs = Math.max(this.worstLateMs, lateMs);
    if (lateMs > LATE_MS) this.late++;
  }

  #causeAt(now: number): string {
    const causes = this.#causes.filter(({ from, until }) => now >= from && now <= until);
    return causes.length > 0 ? causes.at(-1)!.cause : "none";
  }

  #noteTakeover(index: number, { askedEveryMs }: Fetcher, now: number): void {
    const crashedAt = this.#crashes.get(index);
    if (crashedAt === undefined) return;
    this.#crashes.delete(index);
    this.takeovers++;
    const tookMs = now - crashedAt;
    if (askedEveryMs > MINUTE_MS) {
      this.worstRareTakeoverMs = Math.max(this.worstRareTakeoverMs, tookMs);
    } else this.worstTakeoverMs = Math.max(this.worstTakeoverMs, tookMs);
  }
}
