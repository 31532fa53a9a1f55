/**
 * Takes turns at fetching feeds: hands out those whose turn it is on this server, and notes what
 * came of that.
 *
 * @module
 */
import type { ServerChecks } from "../../log/fleet/checks.ts";
import type { Core } from "../../state/core.ts";
import type { StoreOptions } from "../../stores/store.ts";
import { hashOf, type Json } from "../../update.ts";
import type { FleetMember } from "../member.ts";
import { Asks } from "./asks.ts";
import { type Consequences, consequencesOf } from "./consequences.ts";
import type { Feed } from "./feed.ts";
import { FeedTable, type InvalidUrl } from "./feed_table.ts";
import { ForeignLists } from "./foreign_lists.ts";
import { HandingOut } from "./handing_out.ts";
import { Handover } from "./handover.ts";
import type { CheckedFeed, CheckOutcome } from "./outcome.ts";
import { Owners } from "./owners.ts";
import { SUFFIXES } from "./domain.ts";
import { storeReport } from "./report.ts";
import { backoffMs, LEASE_MS, nextTurn } from "./schedule.ts";
import type { Turn } from "./turn.ts";

/** A process that runs for less time leaves it to the next one to hand over. */
const SHORT_LIFE_MS = 60_000;

/** The checks of a server whose state is new are remembered for so long: it asks bit by bit. */
const OWN_CHECKS_MS = 60 * 60 * 1000;

/** What an engine is made with. */
export interface TurnEngineOptions {
  /** Name of this server. */
  readonly server: string;
  /** Allowed schemes of feeds. */
  readonly schemes: readonly string[];
  /** The configuration of turns. */
  readonly turns: {
    readonly idleMs: number | undefined;
    readonly maxPerDomain: number;
    readonly weight: number;
  };
  /** This server's part in the fleet. */
  readonly member: FleetMember;
  /** Maximum size of the lists of other servers, in bytes. @default 32 MiB */
  readonly maxListBytes?: number | undefined;
  /** Keeps the connection open until the work has ended. */
  readonly keepOpen: (work: Promise<unknown>) => Promise<unknown>;
}

/** What is asked. */
export interface Ask {
  /** How often each feed is to be fetched. */
  readonly everyMs: number;
  /** Maximum number of feeds that are due. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Takes turns, for all calls of one connection. */
export class TurnEngine {
  readonly #core: Core;
  readonly #options: TurnEngineOptions;
  readonly #table: FeedTable;
  readonly #asks: Asks;
  readonly #owners: Owners;
  readonly #handingOut: HandingOut;
  readonly #handover: Handover;
  readonly #begunAt: number;
  /** Calls follow the fleet one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #writing: Promise<unknown> | undefined;
  readonly #closing = new AbortController();
  #dataVersion: number | undefined;
  #hasAsked = false;
  /** Whether the state was new: then this server may have checked feeds before. */
  #isNew = false;
  #ownChecks: ServerChecks | undefined;

  /** Reads nothing yet. */
  constructor(core: Core, options: TurnEngineOptions) {
    const { server, schemes, turns, member, maxListBytes } = options;
    this.#core = core;
    this.#options = options;
    const table = this.#table = new FeedTable(core, { schemes });
    const asks = this.#asks = new Asks(core, table, turns);
    const handover = this.#handover = new Handover(core, { server });
    const { maxPerDomain, weight } = turns;
    const lists = new ForeignLists(core, table, { maxPerDomain, maxBytes: maxListBytes });
    this.#owners = new Owners(core, { server, weight, member, table, asks, lists, handover });
    this.#handingOut = new HandingOut(core, table);
    this.#begunAt = core.environment.clock.elapsed();
  }

  /** Whether each feed is to be fetched now, by this server. */
  async due(urls: readonly string[], { everyMs, limit, signal }: Ask): Promise<Turn[]> {
    await this.#learnTime(signal);
    const isRehashed = await this.#table.rehash();
    const loaded = this.#load();
    this.#isNew ||= this.#table.size === 0;
    let found = this.#table.find(urls);
    if (found.includes(undefined)) {
      const unknown = urls.filter((_, place) => found[place] === undefined);
      await this.#table.add(unknown.map(this.#normalized), { everyMs, isAsked: true });
      found = this.#table.find(urls);
    }
    const known = found as (Feed | InvalidUrl)[];
    const added = this.#asks.note(known, everyMs);
    this.#hasAsked = true;
    await this.#inTurn(async () => {
      if (this.#isNew && added.length > 0) await this.#recall(added, signal);
      await this.#owners.update({ added, loaded, isRehashed, signal });
    });
    this.#table.load();
    this.#asks.store();
    const { askedEveryMs } = this.#asks;
    const answers = this.#handingOut.answer({ urls, found: known, limit, askedEveryMs });
    storeReport(this.#core, this.#table.all, SUFFIXES);
    this.#handOver();
    return answers;
  }

  /** Notes what came of fetching a feed. */
  async checked(url: string, outcome: CheckOutcome): Promise<CheckedFeed> {
    const { log, state } = this.#core, { schemes } = this.#options;
    const consequences = consequencesOf(outcome, { url, schemes, now: log.now() });
    const hash = hashGiven(outcome);
    await this.#table.rehash();
    this.#load();
    await this.#table.add([url], { everyMs: 0, isAsked: false });
    const [feed] = this.#table.find([url]) as [Feed];
    const now = Math.round(log.now());
    this.#table.change(() => {
      const heldUntil = this.#apply(feed, { outcome, consequences, hash, now });
      this.#table.touch(feed);
      const { scope = "url" } = outcome;
      if (heldUntil === undefined || scope === "url") return;
      state.turns.hold({ host: feed[scope], until: heldUntil });
      state.turns.dropHeld(now);
    });
    return checkedFeed(feed, consequences, now);
  }

  /** Hands over what was checked, unless this was a short visit of many. */
  async close(options: StoreOptions): Promise<void> {
    this.#closing.abort();
    if (!this.#hasAsked) return;
    const { state, environment: { clock } } = this.#core;
    this.#asks.store({ isLast: true });
    const isLong = clock.elapsed() - this.#begunAt >= SHORT_LIFE_MS;
    await this.#handover.writeIfDue({ ...options, force: isLong || state.isInMemory });
  }

  /** Without an answer of the store, the time is what it seems. */
  async #learnTime(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.member.learnTime({ signal });
    } catch {
      signal.throwIfAborted();
    }
  }

  /** Takes over what this server has checked of these feeds before its state was lost. */
  async #recall(added: readonly Feed[], signal: AbortSignal): Promise<void> {
    if (this.#ownChecks) {
      const hashes = new Set(added.map(({ feed }) => feed)), { feeds, held } = this.#ownChecks;
      this.#handover.apply({ feeds: feeds.filter(({ feed }) => hashes.has(feed)), held });
    }
    this.#ownChecks ??= await this.#handover.readFrom(this.#options.server, { signal });
    const { clock } = this.#core.environment;
    if (this.#ownChecks && clock.elapsed() - this.#begunAt < OWN_CHECKS_MS) return;
    this.#isNew = false;
    this.#ownChecks = undefined;
  }

  /** Changes the feed; returns until when others of its scope are left alone. */
  #apply(
    feed: Feed,
    { outcome, consequences, hash, now }: {
      readonly outcome: CheckOutcome;
      readonly consequences: Consequences;
      readonly hash: string | null | undefined;
      readonly now: number;
    },
  ): number | undefined {
    const { isSuccess, pauseMs, ttlMs, validators } = consequences;
    const wasHandedOut = feed.leasedUntil > now;
    feed.checkedAt = now;
    feed.leasedUntil = 0;
    if (!isSuccess) {
      feed.failures++;
      const fraction = this.#core.environment.random.fraction();
      feed.notBefore = Math.round(
        now + (pauseMs ?? backoffMs(feed.everyMs, feed.failures, fraction)),
      );
      return pauseMs === undefined ? undefined : feed.notBefore;
    }
    feed.failures = 0;
    if (ttlMs !== undefined || outcome.status === 200) feed.ttlMs = Math.round(ttlMs ?? 0);
    const longestMs = Math.max(pauseMs ?? 0, feed.ttlMs);
    feed.notBefore = longestMs > 0 ? Math.round(now + longestMs) : 0;
    if (outcome.status === 200) {
      const isRecent = now - feed.publishedAt <= LEASE_MS;
      const content = hash === undefined && isRecent ? feed.publishedHash : hash ?? null;
      feed.setValidators(validators, { hash: content, isOwn: hash !== undefined });
    } else if (outcome.status === 304 && wasHandedOut && feed.contentHash !== null) {
      feed.etag ??= validators.etag ?? null;
      feed.lastModified ??= validators.lastModified ?? null;
    }
    feed.publishedHash = null;
    return undefined;
  }

  /** Takes over what other processes of this server have done. */
  #load(): Feed[] {
    const { state } = this.#core;
    const isFirst = this.#dataVersion === undefined;
    const version = state.dataVersion();
    this.#table.load();
    if (version === this.#dataVersion) return [];
    this.#dataVersion = version;
    const loaded = this.#asks.load();
    return isFirst ? [] : loaded;
  }

  readonly #normalized = (url: string): string => this.#table.normalize(url) as string;

  /** Writes checks where no running `watch` does so, or another server waits for them. */
  #handOver(): void {
    const { state: { turns } } = this.#core;
    const isAwaited = Number(turns.fact("checksAwaited") ?? 0) === 1;
    if (this.#writing || (this.#options.member.isKept && !isAwaited)) return;
    const { signal } = this.#closing;
    const writing = this.#handover.writeIfDue({ signal }).catch(() => {}).finally(() => {
      this.#writing = undefined;
    });
    this.#writing = this.#options.keepOpen(writing);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** The hash of the content that the application names; undefined when it names none. */
function hashGiven({ content, removed = false }: CheckOutcome): string | null | undefined {
  if (removed) return null;
  return content === undefined ? undefined : hashOf({ content: content as Json | Uint8Array });
}

function checkedFeed(feed: Feed, { movedTo, isGone }: Consequences, now: number): CheckedFeed {
  return {
    url: feed.url,
    next: new Date(Math.max(now, nextTurn(feed, now))).toISOString(),
    ...movedTo !== undefined && { movedTo },
    ...isGone && { gone: true },
  };
}
