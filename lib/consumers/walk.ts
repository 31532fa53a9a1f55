/**
 * Hands the newest update of each feed to a consumer that begins, or has lost updates.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { OnceLog } from "../base/once_log.ts";
import type { Connection, Parts } from "../connection.ts";
import { StoreUnavailableError } from "../errors.ts";
import { shownUrl } from "../feed_url.ts";
import { comparePositions, type ConsumerRow, type Position } from "../state/consumers.ts";
import type { InboxUpdate } from "../state/inbox.ts";
import type { KnownFeed } from "../state/newest.ts";
import type { Walk, WalkedFeed, WalkKey } from "../state/walks.ts";
import type { ContentForm } from "./consumer.ts";
import { cursorText } from "./cursor.ts";
import { FeedReader } from "./feed_reader.ts";
import { updateLineOf } from "./line.ts";
import { LineBatch, type LineOptions } from "./line_batch.ts";

const logger = getLogger(["feedsync", "consumers"]);

/** Number of feeds that get numbers at once, in the order in which the log has their updates. */
const PAGE_FEEDS = 5000;

/** How long to wait for what is not found. */
const MISSING_MS = 60_000;

/** Maximum number of feeds that are waited for. */
const MAX_MISSING = 10_000;

/** Number of feeds that are read in parallel. */
const PARALLEL_FEEDS = 16;

/**
 * Walks through all feeds that the state knows. Those that are only in the bucket are restored by
 * the watcher meanwhile, and come through the inbox, as do those that are updated.
 */
export class FeedWalker {
  readonly #parts: Parts;
  readonly #reader: FeedReader;
  readonly #problems: OnceLog;
  /** Feeds that were not found: since when, and the numbers under which they come again. */
  readonly #missing = new Map<string, { readonly since: number; readonly again: number }>();

  /** Creates it, without reading anything yet. */
  constructor(connection: Connection) {
    this.#parts = connection.parts!;
    this.#reader = new FeedReader(connection);
    this.#problems = new OnceLog(logger, this.#parts.environment.clock);
  }

  /**
   * Reads the newest updates after a position; none when there is no walk, or at its end.
   *
   * @throws {StoreUnavailableError | AccessDeniedError | UnreadableError} when the bucket cannot be
   * read.
   */
  async read(consumer: ConsumerRow, after: Position, options: LineOptions): Promise<LineBatch> {
    const batch = new LineBatch(after, options);
    try {
      for (let next = after; !batch.isFull;) {
        const feeds = await this.#nextFeeds(consumer, next);
        if (feeds.length === 0) break;
        const found = await this.#readFeeds(consumer, { feeds, after, options });
        next = this.#addTo(batch, consumer, { found, next, content: options.content });
        if (batch.lines.length === 0) this.#skip(consumer, { after, to: next });
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (batch.lines.length === 0) throw error;
    }
    return batch;
  }

  /** Adds lines as far as they fit; returns the position behind the last feed that was handled. */
  #addTo(
    batch: LineBatch,
    consumer: ConsumerRow,
    { found, next, content }: {
      readonly found: readonly FoundFeed[];
      readonly next: Position;
      readonly content: ContentForm;
    },
  ): Position {
    for (const { feed, update } of found) {
      const position = { row: next.row, number: feed.number };
      if (update === "missing") this.#postpone(consumer, position, feed);
      else if (update) {
        const cursor = cursorText({ ...position, epoch: feed.epoch });
        if (!batch.add(updateLineOf(this.#lineOf(update), cursor, content), position)) break;
      }
      next = position;
      if (batch.isFull) break;
    }
    return next;
  }

  /** Ends reading. */
  close(): void {
    this.#reader.close();
  }

  /** The next feeds, which get numbers before; none when there is no walk, or at its end. */
  async #nextFeeds(consumer: ConsumerRow, after: Position): Promise<readonly WalkedFeed[]> {
    const { state: { walks }, environment: { clock } } = this.#parts, { name } = consumer;
    for (;;) {
      const walk = this.#walkAt(consumer, after.row);
      if (!walk) return [];
      const feeds = walks.feedsAfter(name, after, PARALLEL_FEEDS);
      if (feeds.length > 0 || walk.numberedTo === null) return feeds;
      this.#number(consumer, after.row, { ...walk, numberedTo: walk.numberedTo });
      await new Promise<void>((resolve) => clock.setTimer(0, resolve)); // Lets others work.
    }
  }

  /** The walk behind a row; where updates were dropped, it begins. */
  #walkAt({ name, start }: ConsumerRow, row: number): Walk | undefined {
    const { state } = this.#parts, { inbox, walks } = state;
    const known = walks.get({ name, row });
    if (known || start !== "newest" || inbox.kindOf(row) !== "lost") return known;
    state.transaction(() => walks.begin({ name, row }, { isFirst: false }), { durable: false });
    return walks.get({ name, row });
  }

  #number(
    consumer: ConsumerRow,
    row: number,
    { numberedTo: behind, isFirst }: NumberingWalk,
  ): void {
    const { state } = this.#parts, { newest, walks, inbox } = state, { name, own } = consumer;
    const page = [...newest.feeds({ behind }).take(PAGE_FEEDS)];
    const wanted = page.filter(({ hash, id }) =>
      !(isFirst && hash === null) && !inbox.awaits(id, { row, own })
    ).sort(byPlace);
    const numberedTo = page.length < PAGE_FEEDS ? null : page[page.length - 1].url;
    state.transaction(() => {
      const epoch = inbox.currentEpoch();
      walks.number({ name, row }, { feeds: wanted.map(({ url }) => url), numberedTo, epoch });
    }, { durable: false });
  }

  /** Reads feeds in parallel. What comes through the inbox is left out. */
  async #readFeeds(
    { own }: ConsumerRow,
    { feeds, after: { row }, options: { signal } }: {
      readonly feeds: readonly WalkedFeed[];
      readonly after: Position;
      readonly options: LineOptions;
    },
  ): Promise<readonly FoundFeed[]> {
    const { newest, inbox } = this.#parts.state;
    return await Promise.all(feeds.map(async (feed) => {
      const known = newest.get(feed.feed);
      const isWanted = known && !inbox.awaits(known.id, { row, own });
      if (!isWanted) return { feed, update: undefined };
      return { feed, update: await this.#reader.read(feed.feed, known, signal) ?? "missing" };
    }));
  }

  /**
   * Leaves a feed that was not found to the end of the walk, and then out: the store may not return
   * yet what it has.
   *
   * @throws {StoreUnavailableError} when it was missed only a short time ago.
   */
  #postpone({ name }: ConsumerRow, { row }: Position, { feed, number }: WalkedFeed): void {
    const now = this.#parts.environment.clock.elapsed();
    const key = `${name} ${row} ${feed}`, before = this.#missing.get(key);
    if (before && number < before.again) return;
    if (!before && this.#missing.size < MAX_MISSING) {
      this.#missing.set(key, { since: now, again: this.#numberAgain({ name, row }, feed) });
    } else if (before && now - before.since < MISSING_MS) {
      throw new StoreUnavailableError(
        `Cannot read the newest update of ${shownUrl(feed)}: the store does not find it; try again`,
      );
    } else {
      this.#missing.delete(key);
      this.#problems.problem(feed, {
        text:
          "The consumer {name} is not handed {url}: its newest update is damaged, or no longer " +
          "in the bucket; publish the feed again",
        properties: { name, url: shownUrl(feed) },
      });
    }
  }

  #numberAgain(key: WalkKey, feed: string): number {
    const { state } = this.#parts, { inbox, walks } = state;
    return state.transaction(() => {
      const { numberedTo } = walks.get(key)!;
      return walks.number(key, { feeds: [feed], numberedTo, epoch: inbox.currentEpoch() });
    }, { durable: false });
  }

  #lineOf(update: InboxUpdate) {
    const { newest } = this.#parts.state;
    const superseded = Number(newest.supersedes(update.url, update.time, update.id));
    return { ...update, restored: 1, superseded };
  }

  /** Notes that nothing has to be handed out up to a position, if all before is acknowledged. */
  #skip({ name }: ConsumerRow, { after, to }: { readonly after: Position; readonly to: Position }) {
    const { state } = this.#parts, consumer = state.consumers.get(name);
    const isNext = consumer && comparePositions(consumer, after) === 0;
    if (!isNext || comparePositions(to, after) <= 0) return;
    state.transaction(() => {
      state.consumers.place(name, to);
      state.walks.passed(name, to);
    }, { durable: false });
  }
}

/** A feed, and what was found of it; undefined when it comes through the inbox. */
interface FoundFeed {
  readonly feed: WalkedFeed;
  readonly update: InboxUpdate | "missing" | undefined;
}

/** A walk in which feeds are left without a number. */
type NumberingWalk = Walk & { readonly numberedTo: string };

/** Feeds whose update is not known to be in the log come first. */
function byPlace(a: KnownFeed, b: KnownFeed): number {
  const [one, other] = [a.place?.stream ?? "", b.place?.stream ?? ""];
  if (one !== other) return one < other ? -1 : 1;
  return (a.place?.seq ?? 0) - (b.place?.seq ?? 0);
}
