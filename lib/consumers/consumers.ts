/**
 * The consumers of the local API: each is handed the updates of the inbox at least once, in order
 * per stream, and acknowledges them.
 *
 * @module
 */
import { AutoResetEvent } from "../base/event.ts";
import type { Connection, Parts } from "../connection.ts";
import { ClosedError } from "../errors.ts";
import {
  comparePositions,
  type ConsumerRow,
  type ConsumerTraits,
  type Position,
} from "../state/consumers.ts";
import { type CheckedRead, checkRead, isName, shown, traitsOf } from "./check.ts";
import type {
  ConsumerInfo,
  ConsumerLine,
  ConsumerOptions,
  ConsumerReadOptions,
  InboxOptions,
  SeekTarget,
} from "./consumer.ts";
import { ReaderReplacedError, TooManyConsumersError, UnknownConsumerError } from "./errors.ts";
import { InboxKeeper } from "./keeper.ts";
import { lagOf } from "../state/consumer_lag.ts";
import type { LineBatch } from "./line_batch.ts";
import { Positions } from "./positions.ts";
import { readLines } from "./reader.ts";
import { FeedWalker } from "./walk.ts";

/** Maximum number of consumers. */
const MAX_CONSUMERS = 100;

/** How often a waiting reader looks for what other processes have written. */
const SHARED_STATE_POLL_MS = 100;

/** How often it is noted that a consumer is read. */
const TOUCH_MS = 60_000;

/** The consumers of a server. Close it before its connection. */
export class Consumers implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #parts: Parts;
  readonly #walker: FeedWalker;
  readonly #keeper: InboxKeeper;
  /** The one reader of each consumer. */
  readonly #readers = new Map<string, AbortController>();
  /** The furthest positions that this process has handed out. */
  readonly #delivered = new Map<string, Position>();
  readonly #closed = new AbortController();

  /**
   * Creates the consumers of an enabled connection.
   *
   * @throws {TypeError} when the connection is not enabled.
   */
  constructor(connection: Connection, options: InboxOptions = {}) {
    const { parts } = connection;
    if (!parts) throw new TypeError("Cannot have consumers: feedsync is not enabled");
    this.#connection = connection;
    this.#parts = parts;
    this.#walker = new FeedWalker(connection);
    this.#keeper = new InboxKeeper(parts, options);
  }

  /**
   * Makes a consumer, or returns the one with this name. If that has other options, they are changed
   * for what it is handed from now on; it does not begin again.
   *
   * @throws {TypeError} when name or options are invalid.
   * @throws {TooManyConsumersError} when there are too many others.
   */
  put(name: string, options: ConsumerOptions): ConsumerInfo {
    const { state } = this.#parts;
    const traits = traitsOf(name, options);
    state.transaction(() => {
      if (traits.own && !state.consumers.wantsOwn()) state.inbox.enterOwn();
      if (state.consumers.get(name)) state.consumers.change(traits);
      else this.#add(traits);
    });
    return this.#infoOf(this.#get(name));
  }

  /**
   * Reads what comes after the acknowledged cursor, or after `after`: at least one line, however
   * large, unless nothing comes within `waitMs`. A consumer has one reader at a time.
   *
   * @throws {UnknownConsumerError} when there is no such consumer, or no longer.
   * @throws {ReaderReplacedError} when the consumer is read again meanwhile, moved, or deleted.
   * @throws {InvalidCursorError | ExpiredCursorError} when `after` cannot be used.
   * @throws {RangeError} when a number is out of bounds.
   * @throws {StoreUnavailableError | AccessDeniedError | UnreadableError} when the bucket must be
   * read, but cannot be.
   * @throws {ClosedError} when the consumers are closed.
   */
  async read(name: string, options: ConsumerReadOptions = {}): Promise<ConsumerLine[]> {
    const checked = checkRead(options);
    this.#get(name);
    this.#closed.signal.throwIfAborted();
    this.#endReader(name, `Another reader of ${name} has taken the place of this one`);
    const reader = new AbortController();
    this.#readers.set(name, reader);
    const { signal } = options;
    const end = () => reader.abort(signal!.reason);
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted) end();
    try {
      const read = this.#readOrWait(name, { ...checked, signal: reader.signal });
      return [...await this.#connection.keepOpen(read)];
    } finally {
      signal?.removeEventListener("abort", end);
      if (this.#readers.get(name) === reader) this.#readers.delete(name);
    }
  }

  /**
   * Acknowledges a line and all before it. An older cursor changes nothing.
   *
   * @throws {UnknownConsumerError} when there is no such consumer.
   * @throws {InvalidCursorError | ExpiredCursorError} when the cursor cannot be used.
   */
  ack(name: string, cursor: string): ConsumerInfo {
    const { state } = this.#parts, consumer = this.#get(name);
    const position = new Positions(state, consumer).check(cursor, this.#delivered.get(name));
    if (comparePositions(position, consumer) > 0) {
      state.transaction(() => this.#move(consumer, position), { durable: false });
      this.#keeper.acknowledged();
    }
    return this.#infoOf(this.#get(name));
  }

  /**
   * Has the consumer go on elsewhere: `newest`: again with the newest update of every feed; `now`:
   * with what comes next; or behind a cursor, back or ahead, as far as lines are still kept.
   *
   * @throws {UnknownConsumerError} when there is no such consumer.
   * @throws {InvalidCursorError | ExpiredCursorError} when the cursor cannot be used.
   */
  seek(name: string, target: SeekTarget): ConsumerInfo {
    const { state } = this.#parts, consumer = this.#get(name);
    state.transaction(() => {
      if (typeof target === "object") {
        this.#move(consumer, new Positions(state, consumer).find(target.cursor));
      } else if (target === "newest" || target === "now") {
        const row = this.#begin();
        if (target === "newest") state.walks.begin({ name, row }, { isFirst: false });
        this.#move(consumer, { row, number: 0 });
      } else throw new TypeError(`Cannot seek to ${shown(target)}: give newest, now or a cursor`);
    });
    this.#delivered.delete(name);
    this.#endReader(name, `The consumer ${name} was moved to another position`);
    return this.#infoOf(this.#get(name));
  }

  /** The consumers, by name. */
  list(): ConsumerInfo[] {
    return this.#parts.state.consumers.all().map((consumer) => this.#infoOf(consumer));
  }

  /** One consumer; undefined when there is none with this name. */
  get(name: string): ConsumerInfo | undefined {
    const consumer = this.#parts.state.consumers.get(name);
    return consumer && this.#infoOf(consumer);
  }

  /** Deletes a consumer; returns whether there was one. */
  delete(name: string): boolean {
    const isKnown = this.#parts.state.consumers.get(name) !== undefined;
    if (isKnown) this.#keeper.forget(name);
    this.#delivered.delete(name);
    this.#endReader(name, `The consumer ${name} was deleted`);
    return isKnown;
  }

  /** Ends all readers with a {@linkcode ClosedError}. */
  async close(): Promise<void> {
    this.#closed.abort(new ClosedError("Cannot use the consumers: they are closed"));
    for (const reader of this.#readers.values()) reader.abort(this.#closed.signal.reason);
    this.#walker.close();
    await this.#keeper.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #readOrWait(name: string, options: CheckedRead): Promise<readonly ConsumerLine[]> {
    const { state, environment: { clock } } = this.#parts, { waitMs, signal } = options;
    const until = clock.elapsed() + waitMs, news = new AutoResetEvent(clock);
    const pollMs = state.path === ":memory:" ? Infinity : SHARED_STATE_POLL_MS;
    const stopListening = state.inbox.onChange(() => news.set());
    const wake = () => news.set();
    signal.addEventListener("abort", wake, { once: true });
    try {
      for (let version = state.dataVersion();;) {
        signal.throwIfAborted();
        const { lines, end } = await this.#readOnce(name, options);
        signal.throwIfAborted();
        if (lines.length > 0) this.#noteDelivered(name, end);
        if (lines.length > 0 || clock.elapsed() >= until) return lines;
        for (let hasNews = false; !hasNews && clock.elapsed() < until;) {
          hasNews = await news.wait(Math.min(pollMs, until - clock.elapsed()));
          const before = version;
          version = state.dataVersion();
          hasNews ||= version !== before;
        }
      }
    } finally {
      stopListening();
      signal.removeEventListener("abort", wake);
    }
  }

  async #readOnce(name: string, { after: text, ...options }: CheckedRead): Promise<LineBatch> {
    const { state } = this.#parts, consumer = this.#get(name);
    this.#touch(consumer);
    const after = text === undefined
      ? consumer
      : new Positions(state, consumer).check(text, this.#delivered.get(name));
    return await readLines({ state, walker: this.#walker }, { consumer, after }, options);
  }

  #noteDelivered(name: string, end: Position): void {
    const before = this.#delivered.get(name);
    if (!before || comparePositions(before, end) < 0) this.#delivered.set(name, end);
  }

  #touch({ name, readAt }: ConsumerRow): void {
    const { state, environment: { clock } } = this.#parts, now = clock.now();
    if (Math.abs(now - readAt) < TOUCH_MS) return;
    state.transaction(() => state.consumers.touch(name, now), { durable: false });
  }

  #add(traits: ConsumerTraits): void {
    const { state, environment: { clock } } = this.#parts, { name } = traits;
    if (state.consumers.all().length >= MAX_CONSUMERS) {
      throw new TooManyConsumersError(
        `Cannot make the consumer ${name}: there are ${MAX_CONSUMERS} already; delete those that ` +
          "are not used",
      );
    }
    if (!state.inbox.isWanted()) state.inbox.enter();
    const row = this.#begin();
    state.consumers.add(traits, { row, now: clock.now() });
    if (traits.start !== "newest") return;
    state.walks.begin({ name, row }, { isFirst: true });
    // With a state in memory, a watcher restores only when somebody wants what it lacks.
    if (state.isInMemory && !state.restoring.wasServed()) state.restoring.require();
  }

  /** A new row, behind which a consumer begins. */
  #begin(): number {
    const { state, environment: { clock } } = this.#parts;
    return state.inbox.addStart(clock.now());
  }

  #move({ name, start }: ConsumerTraits, position: Position): void {
    const { inbox, consumers, walks } = this.#parts.state, { row } = position;
    const isLost = start === "newest" && inbox.kindOf(row) === "lost";
    if (isLost) walks.begin({ name, row }, { isFirst: false });
    consumers.place(name, position);
    walks.passed(name, position);
  }

  #endReader(name: string, message: string): void {
    this.#readers.get(name)?.abort(new ReaderReplacedError(message));
    this.#readers.delete(name);
  }

  #get(name: string): ConsumerRow {
    const consumer = isName(name) ? this.#parts.state.consumers.get(name) : undefined;
    if (consumer) return consumer;
    throw new UnknownConsumerError(
      `There is no consumer ${shown(name)}: it was never made, or it was deleted, or forgotten ` +
        "since nobody read it for too long; make it",
    );
  }

  #infoOf(consumer: ConsumerRow): ConsumerInfo {
    const { state, environment: { clock } } = this.#parts;
    const { name, start: from, own, createdAt, readAt } = consumer;
    return {
      ...{ name, from, own, created: isoTime(createdAt) },
      lastRead: readAt === 0 ? null : isoTime(readAt),
      cursor: new Positions(state, consumer).acknowledged,
      ...lagOf(state, consumer, clock.now()),
    };
  }
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
