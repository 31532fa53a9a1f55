/**
 * One poll after the other: a listing of the tail, and readers for the streams with news.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { ResolvedConfig } from "../config/resolve.ts";
import type { Parts } from "../connection.ts";
import { type DeliveredCommit, DeliveredCommits } from "./delivered_commits.ts";
import type { Delivery } from "./delivery.ts";
import { enterStreams } from "./enter.ts";
import { type CorruptObjectError, messageOf, MissingKeyError } from "../errors.ts";
import { type ObjectName, reachOf } from "../keys.ts";
import { Limit } from "./limit.ts";
import { ForeignKeys, listTail } from "../listing.ts";
import { type ReadContext, StreamReader, type TailNews } from "./stream_reader.ts";

const logger = getLogger(["feedsync", "watch"]);

/** How many objects are fetched at once, over all streams. */
const PARALLEL_GETS = 8;

/** An unreadable object is given up after the retention; after a day when there is none. */
const DAY = 24 * 60 * 60 * 1000;

/** No more unreadable objects are told of, one by one. */
const MOST_REPORTED = 100;

/** What a poller is made with. */
export interface PollerOptions {
  /** Where new streams are entered, and more. */
  readonly config: ResolvedConfig;
  /** Hands updates to the plugins. */
  readonly delivery: Delivery;
  /** Ends reading. */
  readonly signal: AbortSignal;
}

/** Polls; streams are read side by side, and a slow one holds up no other. */
export class Poller {
  readonly #parts: Parts;
  readonly #options: PollerOptions;
  readonly #context: ReadContext;
  readonly #foreign: ForeignKeys;
  readonly #readers = new Map<string, Promise<void>>();
  /** What later polls and wake-ups told of streams that are being read. */
  readonly #later = new Map<string, TailNews>();
  /** Streams that wait: for a key, or for an object to be mended. */
  readonly #held = new Set<string>();
  /** Ids of the keys that are missing, by stream. */
  readonly #missing = new Map<string, string>();
  readonly #reported = new Set<string>();

  /** A poller that has not polled yet. */
  constructor(parts: Parts, options: PollerOptions) {
    const { delivery, signal, config: { retention } } = options;
    this.#parts = parts;
    this.#options = options;
    this.#foreign = new ForeignKeys(parts.store);
    this.#context = {
      ...parts,
      delivery,
      signal,
      gets: new Limit(PARALLEL_GETS),
      delivered: new DeliveredCommits(),
      patience: retention === false ? DAY : retention,
      onUnreadable: (error) => this.#report(error),
    };
  }

  /**
   * Lists the tail and begins to read what is new; resolves to whether it found something that nobody
   * had told of.
   */
  async poll(): Promise<boolean> {
    const { state, store, uploader, environment: { clock } } = this.#parts;
    const { signal, config: { includeOwn, from } } = this.#options;
    const before = state.publisher.load();
    const streams = await listTail(store, this.#foreign, { signal });
    state.noteClockOffset(store.clockOffset);
    const commitsOf = (stream: string) => streams.get(stream) ?? [];
    const former = state.former.all(clock.now()).flatMap(({ stream }) => commitsOf(stream));
    uploader.inspect({ before, commits: [...commitsOf(before.stream)], former });
    await enterStreams(this.#context, streams, from);
    const own = state.publisher.load().stream;
    if (!includeOwn) streams.delete(own);
    let foundNews = false;
    state.transaction(() => {
      state.setFact("lastPoll", Math.round(clock.now()));
      for (const [stream, commits] of streams) {
        const reach = reachOf(commits);
        if (reach <= Math.max(state.cursors.get(stream), state.cursors.reach(stream))) continue;
        state.cursors.noteReach(stream, reach);
        foundNews ||= !this.#readers.has(stream);
      }
    }, { durable: false });
    for (const stream of this.#unread()) {
      this.#read(stream, { commits: streams.get(stream) ?? [], isListing: true });
    }
    return foundNews;
  }

  /**
   * Whether something was left to be read that a poll would read now; what waits for a key, or for an
   * object to be mended, can wait for the next listing.
   */
  hasUnread(): boolean {
    return this.#unread().some((stream) => !this.#held.has(stream) && !this.#readers.has(stream));
  }

  /**
   * Is told of a commit, perhaps with the updates in it, and begins to read it when its turn has
   * come; false when a poll has to find out what is before it.
   */
  hear(name: ObjectName, delivered?: DeliveredCommit): boolean {
    const { state } = this.#parts;
    const { stream, first, last } = name;
    if (stream === state.publisher.load().stream && !this.#options.config.includeOwn) return true;
    const cursor = state.cursors.get(stream);
    if (last <= cursor) return true;
    if (delivered) this.#context.delivered.keep(delivered);
    if (state.fact("entered") === undefined) return false;
    if (first > cursor + 1 && !this.#readers.has(stream)) return false;
    this.#read(stream, { commits: [name], isListing: false });
    return true;
  }

  /** Ids of the keys that are missing for what comes next in some stream. */
  get missingKeys(): string[] {
    return [...new Set(this.#missing.values())];
  }

  /** Waits until nothing is being read; rejects with the first error of a reader. */
  async idle(): Promise<void> {
    let failure: PromiseRejectedResult | undefined;
    while (this.#readers.size > 0) {
      const results = await Promise.allSettled(this.#readers.values());
      failure ??= results.find((result) => result.status === "rejected");
    }
    if (failure) throw failure.reason;
  }

  #unread(): string[] {
    const { state } = this.#parts;
    const own = state.publisher.load().stream;
    return state.cursors.unread()
      .filter((stream) => stream !== own || this.#options.config.includeOwn);
  }

  #read(stream: string, news: TailNews): void {
    if (this.#readers.has(stream)) {
      this.#later.set(stream, merge(this.#later.get(stream), news));
      return;
    }
    const reader = this.#readAll(stream, news);
    this.#readers.set(stream, reader);
    reader.catch((error) => {
      if (this.#context.signal.aborted) return;
      logger.warn("Cannot read on in {stream}, trying again at the next poll: {message}", {
        stream,
        message: messageOf(error),
      });
    });
  }

  async #readAll(stream: string, news: TailNews): Promise<void> {
    const { cursors } = this.#parts.state;
    this.#held.delete(stream);
    try {
      for (let next: TailNews | undefined = news; next; next = this.#later.get(stream)) {
        this.#later.delete(stream);
        this.#missing.delete(stream);
        await this.#readOn(stream, next);
        this.#context.delivered.forget(stream, cursors.get(stream));
      }
      if (cursors.get(stream) < cursors.reach(stream)) this.#held.add(stream);
    } finally {
      // At once: what is told from now on begins a new one.
      this.#readers.delete(stream);
      this.#later.delete(stream);
    }
  }

  /** Reads a stream as far as it goes, perhaps to where a key is missing. */
  async #readOn(stream: string, news: TailNews): Promise<void> {
    try {
      await new StreamReader(this.#context, stream, news).run();
    } catch (error) {
      if (!(error instanceof MissingKeyError)) throw error;
      this.#missing.set(stream, error.kid);
    }
  }

  /** Once an object; once a key that is missing, and again when the keys change without it. */
  #report(error: CorruptObjectError | MissingKeyError): void {
    const isLocked = error instanceof MissingKeyError;
    const subject = isLocked ? `${this.#parts.envelope.revision} ${error.kid}` : error.key;
    if (this.#reported.has(subject) || this.#reported.size > MOST_REPORTED) return;
    this.#reported.add(subject);
    logger.error(
      isLocked
        ? "{message}; what is encrypted with it waits until it is there"
        : "{message}; it holds up its stream and is tried again at later polls",
      {
        message: this.#reported.size > MOST_REPORTED
          ? `More than ${MOST_REPORTED} objects cannot be read, the next ones are not told of`
          : messageOf(error),
      },
    );
  }
}

/** A listing may have begun before what a wake-up told of was there. */
function merge(known: TailNews | undefined, news: TailNews): TailNews {
  const listed = news.isListing ? reachOf(news.commits) : 0;
  const keys = new Set(news.commits.map(({ key }) => key));
  const more = known?.commits.filter(({ key, last }) => last > listed && !keys.has(key)) ?? [];
  return { ...news, commits: [...more, ...news.commits] };
}
