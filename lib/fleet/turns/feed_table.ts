/**
 * All feeds that were asked for, in memory: kept up to date with the state, which other processes
 * and publications change, too.
 *
 * @module
 */
import { HASH_BATCH } from "../../log/newest/newest_log.ts";
import { normalizeFeedUrl } from "../../feed_url.ts";
import type { Core } from "../../state/core.ts";
import type { TurnRow } from "../../state/turns.ts";
import { domainOf, hostNameOf } from "./domain.ts";
import { Feed } from "./feed.ts";
import { leaseEnd } from "./schedule.ts";

/** A text whose hash shows whether all hashes have changed, with the names key. */
const PROBE = "feedsync";

/** Spellings of URLs are forgotten when there are so many times more than feeds. */
const MAX_SPELLINGS = 4;

/** A text that cannot be the URL of a feed, and why. */
export class InvalidUrl {
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

/** What was asked for, in the order of the URLs; undefined: not known yet. */
export type Found = (Feed | InvalidUrl | undefined)[];

/** The feeds. */
export class FeedTable {
  readonly #core: Core;
  readonly #schemes: readonly string[];
  readonly #feeds = new Map<string, Feed>();
  readonly #byHash = new Map<string, Feed>();
  readonly #spellings = new Map<string, Feed | InvalidUrl>();
  /** The feed of each domain that was handed out last. */
  readonly #leased = new Map<string, Feed>();
  readonly #taken = new Set<Feed>();
  readonly #dirty = new Set<Feed>();
  #last: { readonly urls: readonly string[]; readonly found: Found } = { urls: [], found: [] };
  #revision = 0;
  #lastIndex = -1;
  #keysRevision: number | undefined;

  /** Reads nothing yet. */
  constructor(core: Core, { schemes }: { readonly schemes: readonly string[] }) {
    this.#core = core;
    this.#schemes = schemes;
  }

  /** All feeds. */
  get all(): Iterable<Feed> {
    return this.#feeds.values();
  }

  /** Number of feeds. */
  get size(): number {
    return this.#feeds.size;
  }

  /** All indexes of feeds are less. */
  get indexes(): number {
    return this.#lastIndex + 1;
  }

  /** The feed whose URL has this hash. */
  withHash(hash: string): Feed | undefined {
    return this.#byHash.get(hash);
  }

  /** The feed of the domain that was handed out last. */
  leasedIn(domain: string): Feed | undefined {
    return this.#leased.get(domain);
  }

  /** The feeds that were taken over, and whose former owner's checks are not known yet. */
  get taken(): Iterable<Feed> {
    return this.#taken;
  }

  /** Takes over what was changed in the state; returns the feeds that are new here. */
  load(): Feed[] {
    const { turns } = this.#core.state;
    const revision = turns.revision();
    if (revision <= this.#revision) return [];
    const added: Feed[] = [];
    for (const row of turns.changedAfter(this.#revision)) {
      const known = this.#feeds.get(row.url);
      if (known?.feed === row.feed) known.read(row);
      else added.push(this.#insert(row));
      this.#index(this.#feeds.get(row.url)!);
    }
    this.#revision = revision;
    return added;
  }

  /** Finds the feeds of URLs, however they are written. */
  find(urls: readonly string[]): Found {
    const { urls: lastUrls, found: last } = this.#last;
    const found: Found = new Array(urls.length);
    for (let i = 0; i < urls.length; i++) {
      const url = urls[i];
      found[i] = (lastUrls[i] === url ? last[i] : undefined) ?? this.#spellings.get(url) ??
        this.#spell(url);
    }
    this.#last = { urls, found };
    return found;
  }

  /** Adds the feeds of these URLs that are not known. */
  async add(
    urls: Iterable<string>,
    { everyMs, isAsked }: { readonly everyMs: number; readonly isAsked: boolean },
  ): Promise<void> {
    const unknown = [...new Set(urls)].filter((url) => !this.#feeds.has(url));
    if (unknown.length === 0) return;
    const now = Math.round(this.#core.log.now()), askedAt = isAsked ? null : 0;
    const identities = await this.#identities(unknown);
    this.change(() => {
      for (const identity of identities) {
        if (this.#feeds.has(identity.url)) continue;
        this.touch(this.#insert({ ...NEW_ROW, ...identity, addedAt: now, askedAt, everyMs }));
      }
    });
    this.#last = { urls: [], found: [] };
  }

  /** Hashes everything again if the names key has changed; returns whether it has. */
  async rehash(): Promise<boolean> {
    const { log, state: { turns } } = this.#core;
    const { keysRevision } = log;
    if (keysRevision === this.#keysRevision) return false;
    const probe = await log.newest.hashOf(PROBE);
    this.#keysRevision = keysRevision;
    const known = turns.fact("turnsHashes");
    if (known !== probe) turns.setFact("turnsHashes", probe);
    if (known === undefined || known === probe) return false;
    this.load();
    const identities = await this.#identities([...this.#feeds.keys()]);
    this.change(() => {
      for (const identity of identities) {
        const former = this.#feeds.get(identity.url)!;
        const { lastAskedAt, askedHereAt, isCurrent, owner, isOurs } = former;
        this.#taken.delete(former);
        const feed = this.#insert({ ...former, ...identity });
        this.touch(Object.assign(feed, { lastAskedAt, askedHereAt, isCurrent, owner, isOurs }));
      }
    });
    return true;
  }

  /**
   * Changes feeds, which must be {@linkcode touch}ed, in one transaction: `work` sees what other
   * processes have done before.
   */
  change<T>(work: () => T): T {
    const { state } = this.#core;
    try {
      return state.transaction(() => {
        this.load();
        const result = work();
        if (this.#dirty.size > 0) this.#revision = state.turns.save(this.#dirty);
        return result;
      }, { durable: false });
    } catch (error) {
      this.#revision = 0; // What was not stored is read again.
      throw error;
    } finally {
      this.#dirty.clear();
    }
  }

  /** The feed is stored at the end of the change. */
  touch(feed: Feed): void {
    feed.answer = undefined;
    this.#dirty.add(feed);
    this.#index(feed);
  }

  /** Forgets feeds, within a change. */
  drop(feeds: readonly Feed[]): void {
    this.#core.state.turns.drop(feeds.map(({ url }) => url));
    for (const feed of feeds) {
      this.#feeds.delete(feed.url);
      this.#byHash.delete(feed.feed);
      this.#taken.delete(feed);
      this.#dirty.delete(feed);
      if (this.#leased.get(feed.domain) === feed) this.#leased.delete(feed.domain);
    }
    this.#spellings.clear();
    this.#last = { urls: [], found: [] };
  }

  #insert(row: TurnRow): Feed {
    const former = this.#feeds.get(row.url);
    const feed = new Feed(row, former?.index ?? ++this.#lastIndex);
    if (former) this.#byHash.delete(former.feed);
    this.#feeds.set(feed.url, feed);
    this.#byHash.set(feed.feed, feed);
    if (former) this.#spellings.clear();
    if (former) this.#last = { urls: [], found: [] };
    return feed;
  }

  #index(feed: Feed): void {
    if (feed.leasedUntil > 0 && !this.#isOutlasted(feed)) this.#leased.set(feed.domain, feed);
    if (feed.takenFrom === null) this.#taken.delete(feed);
    else this.#taken.add(feed);
  }

  /** Whether another feed of the domain is handed out for longer. */
  #isOutlasted({ domain, leasedUntil, url }: Feed): boolean {
    const other = this.#leased.get(domain);
    if (!other || other.url === url) return false;
    return leaseEnd(other.leasedUntil, this.#core.log.now()) > leasedUntil;
  }

  #spell(url: string): Feed | InvalidUrl | undefined {
    const normalized = this.normalize(url);
    const found = typeof normalized === "string" ? this.#feeds.get(normalized) : normalized;
    if (found === undefined) return undefined;
    if (this.#spellings.size > MAX_SPELLINGS * (this.#feeds.size + 1000)) this.#spellings.clear();
    this.#spellings.set(url, found);
    return found;
  }

  /** The normalised URL, or why it cannot be that of a feed. */
  normalize(url: string): string | InvalidUrl {
    try {
      return normalizeFeedUrl(url, { schemes: this.#schemes });
    } catch (error) {
      return new InvalidUrl((error as Error).message);
    }
  }

  /** Hashes feeds, hosts and domains; each of the latter once. */
  async #identities(urls: readonly string[]) {
    const parts = urls.map((url) => {
      const parsed = new URL(url);
      return { url, hostName: hostNameOf(parsed), domainName: domainOf(parsed) };
    });
    const names = parts.flatMap(({ url, hostName, domainName }) => [url, hostName, domainName]);
    const hashes = await this.#hashes([...new Set(names)]);
    return parts.map(({ url, hostName, domainName }) => ({
      url,
      feed: hashes.get(url)!,
      host: hashes.get(hostName)!,
      domain: hashes.get(domainName)!,
      domainName,
    }));
  }

  async #hashes(names: readonly string[]): Promise<Map<string, string>> {
    const { newest } = this.#core.log;
    const hashes = new Map<string, string>();
    for (let start = 0; start < names.length; start += HASH_BATCH) {
      const some = names.slice(start, start + HASH_BATCH);
      const made = await Promise.all(some.map((name) => newest.hashOf(name)));
      for (const [index, hash] of made.entries()) hashes.set(some[index], hash);
    }
    return hashes;
  }
}

const NEW_ROW = {
  ...{ addedAt: 0, askedAt: 0, everyMs: 0, checkedAt: 0, notBefore: 0, failures: 0, ttlMs: 0 },
  ...{ leasedUntil: 0, etag: null, lastModified: null, contentHash: null, isOwnContent: 0 },
  ...{ publishedHash: null, publishedAt: 0, takenFrom: null, takenAt: 0 },
};
