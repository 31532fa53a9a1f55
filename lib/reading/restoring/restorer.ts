/**
 * Bringing updates that the bucket keeps for good to the plugins: several feeds at once, one update of each at a
 * time.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import {
  type AccessDeniedError,
  messageOf,
  MissingObjectError,
  type UnreadableError,
} from "../../errors.ts";
import { whyUnreadable } from "../../log/bucket_log.ts";
import type { NewestUpdate } from "../../log/newest/body.ts";
import { compareNewest, type NewestName } from "../../log/newest/names.ts";
import { compareUpdates, isPlausible } from "../../log/update_order.ts";
import type { Core } from "../../state/core.ts";
import { hashOf } from "../../update.ts";
import type { MissingFeeds } from "./missing_feeds.ts";
import { PARALLEL_FEEDS, type ReadingBudget } from "../reading_budget.ts";
import type { Receivers } from "../receivers.ts";
import type { RestoreProgress } from "../watcher.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Parsed content takes so many times the memory that its JSON does, roughly. */
const BYTES_PER_JSON_CHARACTER = 4;

/** What restoring stands on. */
export interface RestoreContext extends Core {
  /** Who gets the updates. */
  readonly receivers: Receivers;
  /** Shared with those who read the log. */
  readonly budget: ReadingBudget;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told how far it is. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

/** Whom to deliver to. */
export interface DeliverOptions {
  /** Also what the plugins have had. @default false */
  readonly again?: boolean | undefined;
  /** What all plugins have had goes to the one of this name only. @default to all */
  readonly only?: string | undefined;
  /** Nothing is delivered: it is noted what is there. @default false */
  readonly onlyNotes?: boolean | undefined;
}

/** Why something could not be restored. */
export type Obstacle = UnreadableError | AccessDeniedError;

/** Restores feeds, and tells what was in the way. */
export class Restorer {
  /** What could not be read. */
  readonly obstacles: Obstacle[] = [];
  readonly #context: RestoreContext;
  readonly #options: DeliverOptions;
  #done = 0;
  #total = 0;

  /** Nothing is restored yet. */
  constructor(context: RestoreContext, options: DeliverOptions = {}) {
    this.#context = context;
    this.#options = options;
  }

  /** More feeds are to be restored. */
  expect(feeds: number): void {
    this.#total += feeds;
    this.#tellProgress();
  }

  /** A feed is dealt with. */
  tick(): void {
    this.#done++;
    this.#tellProgress();
  }

  /**
   * Reads and delivers what is missing. What cannot be read is among the obstacles, and the newest update before it that can
   * be read is delivered: anybody who can write to the bucket can put garbage in front of it.
   */
  async restore(missing: MissingFeeds): Promise<void> {
    this.expect(missing.size);
    await inParallel(missing.take(), this.#context.signal, async (names, signal) => {
      signal.throwIfAborted();
      const update = await this.#read(names);
      if (update) await this.deliver(update, signal);
      this.tick();
    });
  }

  /** Delivers an update unless the plugins have had it, or a newer one. */
  async deliver(update: NewestUpdate, signal: AbortSignal): Promise<void> {
    const { receivers, budget } = this.#context;
    using _held = await budget.decoded.hold(() => ({ size: sizeOf(update) }));
    using _lock = await receivers.lock(update.url, signal);
    const recipient = this.#recipient(update);
    if (recipient === "nobody" || !this.#note(update) || this.#options.onlyNotes) return;
    const { stream, ...stored } = update;
    const handover = { stream, stored, isRestored: true, only: recipient.plugin };
    const failures = await budget.deliveries.low.run(() => {
      signal.throwIfAborted();
      return receivers.handOver(handover, signal);
    });
    this.#context.state.transaction(() => {
      for (const failed of failures) this.#context.state.deadLetters.add(receivers.letter(failed));
      this.#context.state.newest.noteDelivered(update.url, update.id);
    }, { durable: false });
    for (const failed of failures) await receivers.tell(failed);
  }

  /** Who lacks the update: all, unless they have had it. */
  #recipient({ url, time, id }: NewestUpdate): { plugin?: string | undefined } | "nobody" {
    const { state, log } = this.#context;
    const had = state.newest.delivered(url);
    const isMissing = !had || !isPlausible(had.time, log.now()) ||
      compareUpdates(had, { time: Date.parse(time), id }) < 0;
    if (isMissing) return {};
    return this.#options.again ? { plugin: this.#options.only } : "nobody";
  }

  /**
   * Before the plugins run: so that nobody publishes again what just arrived. That a feed is gone which is
   * not known here is only noted; returns whether the plugins get the update.
   */
  #note(update: NewestUpdate): boolean {
    const { state, log } = this.#context, { newest } = state;
    const { url, id, stream, seq, removed } = update;
    const version = { time: Date.parse(update.time), id, hash: hashOf(update) };
    const isDelivered = removed === true && newest.get(url) === undefined;
    const options = { place: { stream, seq }, isDelivered, now: log.now() };
    state.transaction(() => newest.note(url, version, options), { durable: false });
    return !isDelivered;
  }

  /** The newest update that can be read; the names are the newest first. */
  async #read(names: readonly NewestName[]): Promise<NewestUpdate | undefined> {
    const obstacles: Obstacle[] = [];
    const update = await this.#readFirst(names, obstacles);
    if (obstacles.some((error) => error instanceof MissingObjectError)) {
      // It was swept, perhaps, since a newer one was there.
      const newer = await this.#newerThan(names[0]);
      const found: Obstacle[] = [];
      const newest = newer.length > 0 && await this.#readFirst(newer, found);
      if (newest) {
        this.obstacles.push(...found);
        return newest;
      }
    }
    this.obstacles.push(...obstacles);
    return update;
  }

  async #readFirst(
    names: readonly NewestName[],
    obstacles: Obstacle[],
  ): Promise<NewestUpdate | undefined> {
    const { log, budget: { restoring }, signal } = this.#context;
    for (const name of names) {
      try {
        const update = await restoring.low.run(() => log.newest.read(name, { signal }));
        if (update) return update;
        obstacles.push(new MissingObjectError(name.key));
      } catch (error) {
        if (!whyUnreadable(error)) throw error;
        obstacles.push(error as Obstacle);
      }
    }
    return undefined;
  }

  async #newerThan(name: NewestName): Promise<NewestName[]> {
    const { log, budget: { restoring }, signal } = this.#context;
    const group = await restoring.low.run(() => log.newest.listGroup(name.hash, { signal }));
    return group.filter(({ time, lastModified }) => isPlausible(time, lastModified ?? log.now()))
      .filter((other) => compareNewest(name, other) < 0)
      .sort((a, b) => compareNewest(b, a));
  }

  #tellProgress(): void {
    try {
      this.#context.onProgress?.({ restored: this.#done, total: this.#total });
    } catch (error) {
      logger.error("onProgress failed: {message}", { message: messageOf(error) });
    }
  }
}

/**
 * Does some things at once, until all are done or one fails; the others are aborted then, so that nobody waits
 * for a backend once that was given up. In the end none is under way any more.
 *
 * @throws what came of the first one that failed.
 */
export async function inParallel<T>(
  things: Generator<T>,
  signal: AbortSignal,
  work: (thing: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ending = new AbortController(), either = AbortSignal.any([signal, ending.signal]);
  const failures: unknown[] = [];
  const worker = async () => {
    for (let next = things.next(); !next.done && failures.length === 0; next = things.next()) {
      try {
        await work(next.value, either);
      } catch (error) {
        failures.push(error);
        ending.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_FEEDS }, worker));
  if (failures.length > 0) throw failures[0];
}

/** What an update takes in memory, roughly. */
function sizeOf({ content, metadata }: NewestUpdate): number {
  const isRaw = typeof content === "string" || content instanceof Uint8Array;
  const json = JSON.stringify(isRaw ? metadata : { content, metadata });
  return BYTES_PER_JSON_CHARACTER * json.length + (isRaw ? 2 * content.length : 0);
}
