/**
 * One poll after the other: a listing of the tail, and readers for the streams with news.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import { getLogger } from "@logtape/logtape";
import type { ResolvedConfig } from "../config/resolve.ts";
import { DeliveredCommits } from "./delivered_commits.ts";
import type { DeliveredCommit } from "../wake/source.ts";
import type { Delivery } from "./delivery.ts";
import { sleep } from "../base/environment.ts";
import { enterStreams } from "./enter.ts";
import {
  AccessDeniedError,
  isUnreadable,
  messageOf,
  MissingObjectError,
  type UnreadableError,
} from "../errors.ts";
import { HeldStreams } from "./held_streams.ts";
import { whyUnreadable } from "../log/bucket_log.ts";
import { type ObjectName, reachOf } from "../log/names.ts";
import { Semaphore } from "../base/semaphore.ts";
import { Readers } from "./readers.ts";
import { MemoryBudget } from "./memory_budget.ts";
import type { ReadContext, TailNews } from "./read_context.ts";
import { StreamReader } from "./stream_reader.ts";
import { UnreadableLog } from "./unreadable_log.ts";

const logger = getLogger(["feedsync", "watch"]);

/** How many requests are made at once, over all streams. */
const PARALLEL_REQUESTS = 8;

/** How many objects of a stream are fetched ahead, and of all streams, where that leaves each one. */
const MAX_AHEAD = 4, MAX_FETCHED = 32;

/** Bytes of what is decoded and being applied, over all streams: a hundred streams may catch up at once. */
const MAX_DECODED_BYTES = 128 * 1024 * 1024;

/** An unreadable object is given up after the retention; after a day when there is none. */
const DAY = 24 * 60 * 60 * 1000;

/** What reading stands on. */
export interface ReadingParts extends Core {
  /** The own stream, which looks for what is wrong with it in listings that are made anyway. */
  readonly uploader: {
    /** Called before a listing of the tail begins; the returned function takes it. */
    expectListing(): (tails: ReadonlyMap<string, readonly ObjectName[]>) => void;
    /** Begins to upload what is queued. */
    start(): void;
  };
}
/**
 * A bucket that is said to be missing is looked for again after these times, before it counts as an empty
 * one: a complete listing lets feed files be published as new.
 */
const MISSING_LOOKS_MS = [2_000, 3_000];

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
  readonly #parts: ReadingParts;
  readonly #options: PollerOptions;
  readonly #context: Omit<ReadContext, "wasHeld">;
  readonly #readers = new Readers(
    (stream, news) => this.#read(stream, news),
    (stream, error) => this.#noteFailure(stream, error),
  );
  readonly #held: HeldStreams;
  readonly #unreadable: UnreadableLog;
  readonly #requests = new Semaphore(PARALLEL_REQUESTS);
  #hasNoBucket = false;

  /** A poller that has not polled yet. */
  constructor(parts: ReadingParts, options: PollerOptions) {
    const { delivery, signal, config: { retention } } = options;
    this.#parts = parts;
    this.#options = options;
    this.#held = new HeldStreams(parts.environment);
    this.#unreadable = new UnreadableLog(parts.log, parts.environment.clock);
    this.#context = {
      ...parts,
      delivery,
      signal,
      requests: this.#requests.low,
      ahead: () => Math.max(1, Math.min(MAX_AHEAD, Math.floor(MAX_FETCHED / this.#readers.size))),
      decoded: new MemoryBudget(MAX_DECODED_BYTES),
      delivered: new DeliveredCommits(),
      announced: (stream) => this.#readers.announced(stream),
      unfetched: new Map(),
      patience: retention === false ? DAY : retention,
      onUnreadable: (error) => this.#unreadable.tell(error),
    };
  }

  /**
   * Lists the tail and begins to read what is new; resolves to whether it found something that nobody
   * had told of.
   */
  async poll(): Promise<boolean> {
    const { state, environment: { clock } } = this.#parts;
    const { config: { from } } = this.#options;
    const streams = await this.#list();
    await enterStreams(this.#context, streams, from);
    this.#forget(streams);
    streams.delete(this.#skipped());
    const news = [...streams].map(([stream, commits]) => {
      const known = Math.max(state.cursors.get(stream), state.cursors.reach(stream));
      return { stream, known, reach: reachOf(commits) };
    }).filter(({ known, reach }) => reach > known);
    // A stream that is new and forgotten again by a power loss would be missed by nobody once it is gone.
    const durable = news.some(({ known }) => known === 0);
    state.transaction(() => {
      state.setFact("lastPoll", Math.round(clock.now()));
      for (const { stream, reach } of news) state.cursors.noteReach(stream, reach);
    }, { durable });
    const foundNews = news.some(({ stream }) => !this.#readers.has(stream));
    for (const stream of this.#unread().filter((stream) => this.#held.isDue(stream))) {
      this.#readers.start(stream, { commits: streams.get(stream) ?? [], isListing: true });
    }
    return foundNews;
  }

  /** Lists the tail, if need be until it is sure that there is no bucket. */
  async #list() {
    const { log, uploader, environment: { clock } } = this.#parts;
    const { signal } = this.#options;
    for (let look = 0;; look++) {
      const observe = uploader.expectListing();
      const streams = await log.list({ signal });
      const isDecided = !log.isMissing || this.#hasNoBucket;
      if (!isDecided && look < MISSING_LOOKS_MS.length) {
        await sleep(clock, MISSING_LOOKS_MS[look], signal);
        continue;
      }
      this.#hasNoBucket = log.isMissing;
      observe(streams);
      return streams;
    }
  }

  /** Forgets, now and then, what the listing and those before it show not to be needed any more. */
  #forget(streams: ReadonlyMap<string, readonly ObjectName[]>): void {
    const { state, log, environment: { clock } } = this.#parts;
    const { retention } = this.#options.config;
    const localNow = clock.now(), now = log.now();
    if (!state.forgetting.isDue({ now, retentionMs: retention })) return;
    const own = [state.ownStream.load(), ...state.former.all(localNow)];
    const ownKeys = own.flatMap(({ stream }) => streams.get(stream) ?? []).map(({ key }) => key);
    state.transaction(
      () =>
        state.forgetting.survey({
          streams: streams.keys(),
          ownKeys,
          now,
          localNow,
          retentionMs: retention,
        }),
      { durable: false },
    );
  }

  /**
   * Whether something was left to be read that a poll would read now; what waits for a key, or for an
   * object to be mended, can wait for the next listing.
   */
  hasUnread(): boolean {
    const canWait = (error: Error | undefined) =>
      error !== undefined && !(error instanceof MissingObjectError);
    return this.#unread().some((stream) =>
      !this.#readers.has(stream) && this.#held.isDue(stream) && !canWait(this.#held.error(stream))
    );
  }

  /**
   * Is told of a commit, perhaps with the updates in it, and begins to read it when its turn has
   * come; false when a poll has to find out what is before it.
   */
  hear(name: ObjectName, delivered?: DeliveredCommit): boolean {
    const { state } = this.#parts;
    const { stream, first, last } = name;
    if (stream === this.#skipped()) return true;
    const cursor = state.cursors.get(stream);
    if (last <= cursor) return true;
    if (delivered) this.#context.delivered.keep(delivered);
    if (state.fact("entered") === undefined) return false;
    if (!this.#held.isDue(stream)) return true;
    if (first > cursor + 1 && !this.#readers.has(stream)) return false;
    this.#readers.start(stream, { commits: [name], isListing: false });
    return true;
  }

  /** What holds up streams. */
  get unreadable(): UnreadableError[] {
    return this.#held.errors.filter(isUnreadable);
  }

  /** Has the next poll read what it would leave alone for now, since it could not be read before. */
  retryAll(): void {
    this.#held.retryAll();
  }

  /** Waits until nothing is being read; rejects with the first error of a reader. */
  async idle(): Promise<void> {
    await this.#readers.idle();
  }

  /** The stream that is not read: the own one, unless it is applied here, too. */
  #skipped(): string {
    const { includeOwn } = this.#options.config;
    return includeOwn ? "" : this.#parts.state.ownStream.load().stream;
  }

  #unread(): string[] {
    const skipped = this.#skipped();
    return this.#parts.state.cursors.unread().filter((stream) => stream !== skipped);
  }

  /** Reads a stream as far as it goes, perhaps to what cannot be read. */
  async #read(stream: string, news: TailNews): Promise<void> {
    const { state: { cursors } } = this.#parts;
    const { high: first, low: last } = this.#requests;
    // Those that were read before do not wait for however many new ones somebody makes up.
    const before = cursors.get(stream);
    const requests = before > 0 ? first : last;
    try {
      const wasHeld = this.#held.has(stream);
      await new StreamReader({ ...this.#context, requests, wasHeld }, stream, news).run();
      this.#held.release(stream);
      if (cursors.get(stream) > before) this.#context.unfetched.delete(stream);
    } catch (error) {
      const reason = whyUnreadable(error);
      if (!reason) throw error;
      if (cursors.get(stream) > before) this.#held.release(stream); // It is another object now.
      this.#held.hold(stream, error as Error);
      if (reason === "refused") throw error; // Whoever asked for the poll is to know.
    } finally {
      this.#context.delivered.forget(stream, cursors.get(stream));
    }
  }

  #noteFailure(stream: string, error: unknown): void {
    if (this.#context.signal.aborted) return;
    if (error instanceof AccessDeniedError) return this.#unreadable.tell(error);
    logger.warn("Cannot read on in {stream}, trying again at the next poll: {message}", {
      stream,
      message: messageOf(error),
    });
  }
}
