/**
 * The lists of feeds of other servers. Each is read once, and kept in the state; in memory stays
 * what concerns the own feeds.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { RetrySchedule } from "../../base/backoff.ts";
import { forEachConcurrently } from "../../base/concurrently.ts";
import { OnceLog } from "../../base/once_log.ts";
import { messageOf } from "../../errors.ts";
import { decodeList, encodeList, type FeedList } from "../../log/fleet/feed_list.ts";
import type { Core } from "../../state/core.ts";
import type { Feed } from "./feed.ts";
import type { FeedTable } from "./feed_table.ts";

const logger = getLogger(["feedsync", "fleet"]);

/** Maximum size of all lists in the state, in bytes. */
const MAX_BYTES = 32 * 1024 * 1024;

/** A list is forgotten when no presence has named it for so long. */
const MEMORY_MS = 60 * 60 * 1000;

/** Delay before a list that could not be read is read again. */
const RETRY = { minMs: 60_000, maxMs: 60 * 60 * 1000 };

/** Lists that are read at the same time. */
const CONCURRENCY = 10;

/** What concerns the own feeds in a list of feeds. */
export interface ListSummary {
  /** Version of the list of public suffixes. */
  readonly suffixes: string;
  /** A domain with more feeds is not kept together. */
  readonly maxPerDomain: number;
  /** The hash by which the list names the feed's domain; undefined when the feed is not in it. */
  domainOf(feed: Feed): string | undefined;
  /** Numbers of feeds in domains that have more than {@linkcode ForeignLists.leastPerDomain}. */
  readonly largeDomains: ReadonlyMap<string, number>;
}

/** The lists of other servers. */
export class ForeignLists {
  readonly #core: Core;
  readonly #table: FeedTable;
  readonly #problems: OnceLog;
  readonly #retries: RetrySchedule;
  readonly #maxBytes: number;
  readonly #summaries = new Map<string, ForeignSummary>();
  readonly #ownPerDomain: number;
  #leastPerDomain: number;
  /** The lists that presences name, as far as was noted last. */
  #named: readonly string[] = [];
  /** The summaries cover the feeds whose indexes are less. */
  #indexes = 0;

  /** Reads nothing yet. */
  constructor(
    core: Core,
    table: FeedTable,
    { maxPerDomain, maxBytes = MAX_BYTES }: {
      readonly maxPerDomain: number;
      readonly maxBytes?: number | undefined;
    },
  ) {
    this.#core = core;
    this.#table = table;
    this.#problems = new OnceLog(logger, core.environment.clock);
    this.#retries = new RetrySchedule(core.environment, RETRY);
    this.#ownPerDomain = this.#leastPerDomain = maxPerDomain;
    this.#maxBytes = maxBytes;
  }

  /** The least number of feeds beyond which any list does not keep a domain together. */
  get leastPerDomain(): number {
    return this.#leastPerDomain;
  }

  /** The list with this digest, if it was read. */
  get(digest: string): ListSummary | undefined {
    return this.#summaries.get(digest);
  }

  /**
   * Reads the lists with these digests, which are all that presences name, as far as they are not
   * known; returns whether anything has changed.
   */
  async learn(digests: ReadonlySet<string>, signal: AbortSignal): Promise<boolean> {
    let isChanged = false;
    for (const digest of this.#summaries.keys()) {
      if (!digests.has(digest)) isChanged = this.#summaries.delete(digest) || isChanged;
    }
    if (this.#summaries.size === 0) this.#indexes = this.#table.indexes;
    const unknown = [...digests].filter((digest) => !this.#summaries.has(digest))
      .filter((digest) => this.#retries.isDue(digest));
    if (unknown.length === 0) return isChanged;
    this.#noteNamed([...digests]);
    await forEachConcurrently(unknown, { limit: CONCURRENCY, signal }, async (digest, signal) => {
      if (await this.#learn(digest, signal)) isChanged = true;
    });
    if (isChanged) this.#noteLeast();
    return isChanged;
  }

  /** Keeps a list of this server: others may still have it when this one has another. */
  keepOwn(digest: string, body: Uint8Array): void {
    this.#keep(digest, body);
  }

  /** Whether there are feeds that were not known when the lists were read. */
  get isOutdated(): boolean {
    return this.#summaries.size > 0 && this.#indexes < this.#table.indexes;
  }

  /** Concludes again what concerns the own feeds, which have changed. */
  summarize(): void {
    this.#indexes = this.#table.indexes;
    for (const digest of [...this.#summaries.keys()]) {
      const list = this.#stored(digest);
      if (list) this.#summaries.set(digest, this.#summarized(list));
      else this.#summaries.delete(digest);
    }
  }

  async #learn(digest: string, signal: AbortSignal): Promise<boolean> {
    try {
      const list = this.#stored(digest) ?? await this.#read(digest, signal);
      this.#summaries.set(digest, this.#summarized(list));
      this.#retries.succeed(digest);
      this.#problems.resolved(digest);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      this.#retries.fail(digest);
      this.#problems.problem(digest, {
        text: "Cannot read the list of feeds {digest} of another server, which therefore counts " +
          "as having none of the feeds here; they may be fetched twice: {message}",
        properties: { digest, message: messageOf(error) },
      });
      return false;
    }
  }

  async #read(digest: string, signal: AbortSignal): Promise<FeedList> {
    const list = await this.#core.log.fleet.readList(digest, { signal });
    if (!list) throw new Error("the bucket does not have it");
    const encoded = encodeList(list);
    if (encoded.digest !== digest) throw new Error("it is not in the form that all servers write");
    if (!this.#keep(digest, encoded.body)) {
      throw new Error(`the lists of all servers have more than ${this.#maxBytes} bytes`);
    }
    return list;
  }

  #stored(digest: string): FeedList | undefined {
    const body = this.#core.state.turns.list(digest);
    try {
      return body && decodeList(digest, body);
    } catch {
      return undefined; // A damaged state: it is read again.
    }
  }

  #keep(digest: string, body: Uint8Array): boolean {
    const { turns } = this.#core.state, now = Math.round(this.#core.log.now());
    const isTooMuch = () => turns.listBytes() + body.length > this.#maxBytes;
    // Lists change with each feed that is added: what nobody names any more must not be in the way.
    if (isTooMuch()) turns.noteLists(this.#named, { now, before: now });
    if (isTooMuch()) return false;
    turns.addList(digest, body, now);
    return true;
  }

  #noteNamed(digests: readonly string[]): void {
    const now = Math.round(this.#core.log.now());
    this.#named = digests;
    this.#core.state.turns.noteLists(digests, { now, before: now - MEMORY_MS });
  }

  /** A domain counts as large by the least number of all lists. */
  #noteLeast(): void {
    const least = Math.min(
      this.#ownPerDomain,
      ...[...this.#summaries.values()].map(({ maxPerDomain }) => maxPerDomain),
    );
    if (least === this.#leastPerDomain) return;
    this.#leastPerDomain = least;
    this.summarize();
  }

  #summarized(list: FeedList): ForeignSummary {
    return new ForeignSummary(list, { table: this.#table, least: this.#leastPerDomain });
  }
}

/** What concerns the own feeds: a bit for each, and the domains that are told apart otherwise. */
class ForeignSummary implements ListSummary {
  readonly suffixes: string;
  readonly maxPerDomain: number;
  readonly largeDomains: ReadonlyMap<string, number>;
  readonly #holds: Uint8Array;
  readonly #otherDomains = new Map<number, string>();

  constructor(
    { feeds, suffixes, maxPerDomain }: FeedList,
    { table, least }: { readonly table: FeedTable; readonly least: number },
  ) {
    this.suffixes = suffixes;
    this.maxPerDomain = Math.max(1, maxPerDomain);
    this.#holds = new Uint8Array((table.indexes >> 3) + 1);
    const counts = new Map<string, number>();
    for (const { feed: hash, domain } of feeds) {
      counts.set(domain, (counts.get(domain) ?? 0) + 1);
      const feed = table.withHash(hash);
      if (!feed) continue;
      this.#holds[feed.index >> 3] |= 1 << (feed.index & 7);
      if (domain !== feed.domain) this.#otherDomains.set(feed.index, domain);
    }
    const most = Math.min(least, this.maxPerDomain);
    this.largeDomains = new Map([...counts].filter(([, count]) => count > most));
  }

  domainOf({ index, domain }: Feed): string | undefined {
    if (((this.#holds[index >> 3] ?? 0) & (1 << (index & 7))) === 0) return undefined;
    return this.#otherDomains.get(index) ?? domain;
  }
}
