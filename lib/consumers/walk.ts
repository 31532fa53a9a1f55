/**
 * Hands the newest update of each feed to a consumer that begins, or has lost updates.
 *
 * @module
 */
import type { Connection, Parts } from "../connection.ts";
import { comparePositions, type ConsumerRow, type Position } from "../state/consumers.ts";
import type { InboxUpdate } from "../state/inbox.ts";
import type { KnownFeed } from "../state/newest.ts";
import type { Walk, WalkedFeed } from "../state/walks.ts";
import { cursorText } from "./cursor.ts";
import { FeedReader } from "./feed_reader.ts";
import { updateLineOf } from "./line.ts";
import { LineBatch, type LineOptions, type ReadLines } from "./line_batch.ts";

/** Number of feeds that get numbers at once, in the order in which the log has their updates. */
const PAGE_FEEDS = 5000;

/** Number of feeds that are read in parallel. */
const PARALLEL_FEEDS = 16;

/**
 * Walks through all feeds that the state knows. Those that are only in the bucket are restored by
 * the watcher meanwhile, and come through the inbox, as do those that are updated.
 */
export class FeedWalker {
  readonly #parts: Parts;
  readonly #reader: FeedReader;

  /** Creates it, without reading anything yet. */
  constructor(connection: Connection) {
    this.#parts = connection.parts!;
    this.#reader = new FeedReader(connection);
  }

  /**
   * Reads the newest updates after a position; none when there is no walk, or at its end.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
   */
  async read(consumer: ConsumerRow, after: Position, options: LineOptions): Promise<ReadLines> {
    const batch = new LineBatch(options);
    let end = after, passed = after;
    try {
      while (!batch.isFull) {
        const feeds = await this.#nextFeeds(consumer, passed);
        if (feeds.length === 0) break;
        for (const { feed, update } of await this.#readFeeds(consumer, { feeds, after, options })) {
          const position = { row: after.row, number: feed.number };
          if (update) {
            const cursor = cursorText({ ...position, epoch: feed.epoch });
            if (!batch.add(updateLineOf(this.#lineOf(update), cursor, options.content))) break;
            end = position;
          }
          passed = position;
          if (batch.isFull) break;
        }
        if (batch.lines.length === 0) this.#skip(consumer, { after, to: passed });
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (batch.lines.length === 0) throw error;
    }
    return { lines: batch.lines, end };
  }

  /** Forgets what was read. */
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
  ): Promise<{ readonly feed: WalkedFeed; readonly update: InboxUpdate | undefined }[]> {
    const { newest, inbox } = this.#parts.state;
    return await Promise.all(feeds.map(async (feed) => {
      const known = newest.get(feed.feed);
      const isWanted = known && !inbox.awaits(known.id, { row, own });
      const update = isWanted ? await this.#reader.read(feed.feed, known, signal) : undefined;
      return { feed, update };
    }));
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

/** A walk in which feeds are left without a number. */
type NumberingWalk = Walk & { readonly numberedTo: string };

/** Feeds whose update is not known to be in the log come first. */
function byPlace(a: KnownFeed, b: KnownFeed): number {
  const [one, other] = [a.place?.stream ?? "", b.place?.stream ?? ""];
  if (one !== other) return one < other ? -1 : 1;
  return (a.place?.seq ?? 0) - (b.place?.seq ?? 0);
}
