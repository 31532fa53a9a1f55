/**
 * Polling: lists the tail, and starts a reader for each stream with new commits.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import { getLogger } from "@logtape/logtape";
import type { ResolvedConfig } from "../config/resolve.ts";
import { DeliveredCommits } from "./delivered_commits.ts";
import type { DeliveredCommit } from "../wake/source.ts";
import type { Delivery } from "./delivery.ts";
import { enterStreams } from "./enter.ts";
import {
  AccessDeniedError,
  isUnreadable,
  messageOf,
  MissingObjectError,
  type UnreadableError,
} from "../errors.ts";
import { HeldStreams } from "./held_streams.ts";
import { whyUnreadable } from "../log/why_unreadable.ts";
import { InboxReader } from "./inbox_reader.ts";
import type { Intake } from "./intake.ts";
import { type ObjectName, reachOf } from "../log/names.ts";
import { forgetAbandoned } from "../state/abandoned_consumers.ts";
import { patienceOf } from "../retention/expiry.ts";
import { Readers } from "./readers.ts";
import { logFound, logHeard } from "./reading_log.ts";
import type { ReadingBudget } from "./reading_budget.ts";
import type { ReadContext, TailNews } from "./read_context.ts";
import { StreamReader } from "./stream_reader.ts";
import { UnreadableLog } from "./unreadable_log.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Maximum number of objects fetched ahead per stream, and in all; each stream may fetch one. */
const MAX_AHEAD = 4, MAX_FETCHED = 32;

/** Plugins that are busy with an object for so long hold consumers up no longer. */
const HELD_UP_MS = 1000;

/** A stream may have appeared and expired unseen if the last listing is older than this. */
const MAX_UNSEEN_MS = 10 * 60 * 1000;

/** Dependencies of reading. */
export interface ReadingParts extends Core {
  /** Uploads the own stream, and checks it for forks in the listings of polls. */
  readonly uploader: {
    /** Called before a listing of the tail begins; the returned function receives its result. */
    expectListing(): (tails: ReadonlyMap<string, readonly ObjectName[]>) => void;
    /** Starts to upload queued updates. */
    start(): void;
  };
}

/** Options of {@linkcode Poller}. */
export interface PollerOptions {
  /** The configuration; `from` says where a new state starts to read. */
  readonly config: ResolvedConfig;
  /** Delivers updates to the plugins. */
  readonly delivery: Delivery;
  /** Takes updates in before they are delivered. */
  readonly intake: Intake;
  /** Limits of requests and memory, shared with restoring. */
  readonly budget: ReadingBudget;
  /** Ends reading. */
  readonly signal: AbortSignal;
}

/** Polls. Streams are read in parallel, so a slow one does not hold up the others. */
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
  readonly #inboxReader: InboxReader;
  /** Since when streams have had something left to read, in milliseconds of the monotonic clock. */
  readonly #unreadSince = new Map<string, number>();

  /** Creates a poller, without polling yet. */
  constructor(parts: ReadingParts, options: PollerOptions) {
    const { delivery, intake, budget, signal, config } = options;
    this.#parts = parts;
    this.#options = options;
    this.#held = new HeldStreams(parts.environment);
    this.#unreadable = new UnreadableLog(parts.log, parts.environment.clock);
    const requests = budget.requests.low;
    const isHeldUp = () => delivery.isBusyFor(HELD_UP_MS);
    this.#inboxReader = new InboxReader({ ...parts, intake, requests, isHeldUp, signal });
    this.#context = {
      ...parts,
      delivery,
      signal,
      requests,
      ahead: () => Math.max(1, Math.min(MAX_AHEAD, Math.floor(MAX_FETCHED / this.#readers.size))),
      decoded: budget.decoded,
      delivered: new DeliveredCommits(),
      announced: (stream) => this.#readers.announced(stream),
      unfetched: new Map(),
      patienceMs: patienceOf(config),
      onUnreadable: (error) => this.#unreadable.log(error),
    };
  }

  /**
   * Lists the tail and starts to read what is new. Resolves to whether it found updates that no
   * wake-up had announced.
   */
  async poll(): Promise<boolean> {
    const { state, environment: { clock } } = this.#parts;
    const { config: { from } } = this.#options;
    const listed = await this.#list(), streams = new Map(listed);
    streams.delete(this.#skipped()); // It has no cursor before it is given up, and is read from there on.
    await enterStreams(this.#context, streams, from);
    this.#forget(listed);
    const news = [...streams].map(([stream, commits]) => {
      const known = Math.max(state.cursors.get(stream), state.cursors.reach(stream));
      return { stream, known, reach: reachOf(commits) };
    }).filter(({ known, reach }) => reach > known);
    // If a power loss erased a new stream from the state, nobody would notice its gaps later.
    const durable = news.some(({ known }) => known === 0);
    state.transaction(() => {
      state.setFact("lastPoll", Math.round(clock.now()));
      this.#noteListing();
      for (const { stream, reach } of news) state.cursors.noteReach(stream, reach);
    }, { durable });
    if (news.length > 0) logFound(news, streams);
    const unread = this.#noteUnread();
    if (unread.length === 0) this.#options.delivery.catchingUp.end();
    for (const stream of unread) {
      if (this.#readers.has(stream)) this.#inboxReader.start(stream);
    }
    const foundNews = news.some(({ stream }) => !this.#readers.has(stream));
    for (const stream of unread.filter((stream) => this.#held.isDue(stream))) {
      this.#readers.start(stream, { commits: streams.get(stream) ?? [], isListing: true });
    }
    return foundNews;
  }

  /** Requires restoring if streams may have appeared and expired since the last listing. */
  #noteListing(): void {
    const { state, log } = this.#parts;
    const now = Math.round(log.now()), listedAt = state.fact("listedAt");
    const hadAll = this.#unread().length === 0 && !state.restoring.isDue();
    if (hadAll && listedAt !== undefined) state.setFact("completeAt", listedAt);
    const unseenMs = Math.abs(now - Number(listedAt ?? -Infinity));
    if (unseenMs > MAX_UNSEEN_MS && !state.isInMemory) state.restoring.require();
    state.setFact("listedAt", now);
    if (state.fact("enteredAt") === undefined) state.setFact("enteredAt", now);
  }

  /** Lists the tail. */
  async #list(): Promise<Map<string, ObjectName[]>> {
    const { log, uploader } = this.#parts;
    const observe = uploader.expectListing();
    const streams = await log.list({ signal: this.#options.signal });
    observe(streams);
    return streams;
  }

  /** From time to time, removes from the state what recent listings show to be obsolete. */
  #forget(streams: ReadonlyMap<string, readonly ObjectName[]>): void {
    const { state, log, environment: { clock } } = this.#parts;
    const { retention } = this.#options.config;
    const localNow = clock.now(), now = log.now();
    if (!state.forgetting.isDue({ now, retentionMs: retention })) return;
    forgetAbandoned(state, localNow); // Perhaps there is no local API any more that does this.
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
   * Whether a poll would now read something that was left unread. Streams that wait for a key, or
   * for an object to be repaired, can wait for the next listing.
   */
  hasUnread(): boolean {
    const canWait = (error: Error | undefined) =>
      error !== undefined && !(error instanceof MissingObjectError);
    return this.#unread().some((stream) =>
      !this.#readers.has(stream) && this.#held.isDue(stream) && !canWait(this.#held.error(stream))
    );
  }

  /**
   * Handles the announcement of a commit, with its updates if a peer sent them: starts to read it
   * if it follows the cursor. Returns false when only a poll can find what comes before it.
   */
  hear(name: ObjectName, delivered?: DeliveredCommit): boolean {
    const { state } = this.#parts;
    const { stream, first, last } = name;
    if (stream === this.#skipped()) return true;
    logHeard(name, { isSent: delivered !== undefined });
    const cursor = state.cursors.get(stream);
    if (last <= cursor) return true;
    if (delivered) this.#context.delivered.keep(delivered);
    if (state.fact("entered") === undefined) return false;
    if (!this.#held.isDue(stream)) return true;
    if (this.#readers.has(stream)) this.#inboxReader.start(stream);
    else if (first > cursor + 1) return false;
    this.#readers.start(stream, { commits: [name], isListing: false });
    return true;
  }

  /** The ends of all streams that are not fully read, by stream. */
  unreadEnds(): ReadonlyMap<string, number> {
    const { cursors } = this.#parts.state;
    return new Map(this.#unread().map((stream) => [stream, cursors.reach(stream)]));
  }

  /** Whether these streams have been read up to these ends, or given up. */
  hasRead(ends: ReadonlyMap<string, number>): boolean {
    const { cursors } = this.#parts.state;
    return [...ends].every(([stream, end]) =>
      cursors.get(stream) >= end || cursors.reach(stream) < end
    );
  }

  /** Since when each stream has had something left to read, by the monotonic clock. */
  get unreadSince(): ReadonlyMap<string, number> {
    this.#noteUnread();
    return this.#unreadSince;
  }

  /** Why streams cannot be read on. */
  get held(): ReadonlyMap<string, string> {
    const streams = this.#unread().filter((stream) => this.#held.has(stream));
    return new Map(streams.map((stream) => [stream, messageOf(this.#held.error(stream))]));
  }

  /** The errors of the objects that hold up streams. */
  get unreadable(): UnreadableError[] {
    return this.#held.errors.filter(isUnreadable);
  }

  /** Makes the next poll retry all streams that are held up, without waiting for their delay. */
  retryAll(): void {
    this.#held.retryAll();
  }

  /** Waits until nothing is being read; rejects with the first error of a reader. */
  async idle(): Promise<void> {
    try {
      await this.#readers.idle();
    } finally {
      await this.#inboxReader.idle();
    }
  }

  /** The stream that is not read: the own one, unless `includeOwn` is set. */
  #skipped(): string {
    const { includeOwn } = this.#options.config;
    return includeOwn ? "" : this.#parts.state.ownStream.load().stream;
  }

  /** Notes which streams have something left to read, and returns them. */
  #noteUnread(): string[] {
    const unread = this.#unread(), known = new Set(unread);
    const now = this.#parts.environment.clock.elapsed();
    for (const stream of this.#unreadSince.keys()) {
      if (!known.has(stream)) this.#unreadSince.delete(stream);
    }
    for (const stream of unread) {
      if (!this.#unreadSince.has(stream)) this.#unreadSince.set(stream, now);
    }
    return unread;
  }

  #unread(): string[] {
    const skipped = this.#skipped();
    return this.#parts.state.cursors.unread().filter((stream) => stream !== skipped);
  }

  /** Reads a stream to its end, or to an object that cannot be read. */
  async #read(stream: string, news: TailNews): Promise<void> {
    const { state: { cursors } } = this.#parts;
    const { high: first, low: last } = this.#options.budget.requests;
    // Streams that were read before go first: anyone can invent any number of new ones.
    const before = cursors.get(stream);
    const requests = before > 0 ? first : last;
    try {
      const wasHeld = this.#held.has(stream);
      await new StreamReader({ ...this.#context, requests, wasHeld }, stream, news).run();
      this.#release(stream);
      if (cursors.get(stream) > before) this.#context.unfetched.delete(stream);
    } catch (error) {
      const reason = whyUnreadable(error);
      if (!reason) throw error;
      // After progress, another object holds it up now.
      if (cursors.get(stream) > before) this.#release(stream);
      this.#held.hold(stream, error as Error);
      if (reason === "refused") throw error; // The caller of the poll must learn of it.
    } finally {
      this.#context.delivered.forget(stream, cursors.get(stream));
    }
  }

  #release(stream: string): void {
    const error = this.#held.release(stream);
    if (error) this.#unreadable.resolved(stream, error);
  }

  #noteFailure(stream: string, error: unknown): void {
    if (this.#context.signal.aborted) return;
    if (error instanceof AccessDeniedError) return this.#unreadable.log(error);
    logger.warn("Cannot continue reading {stream}, trying again at the next poll: {message}", {
      stream,
      message: messageOf(error),
    });
  }
}
