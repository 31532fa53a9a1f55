/**
 * Delivers updates from `newest/` to the plugins: several feeds in parallel, one update per feed at
 * a time.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { forEachConcurrently } from "../../base/concurrently.ts";
import {
  type AccessDeniedError,
  messageOf,
  MissingObjectError,
  type UnreadableError,
} from "../../errors.ts";
import { whyUnreadable } from "../../log/why_unreadable.ts";
import type { NewestUpdate } from "../../log/newest/body.ts";
import { compareNewest, newestFirst, type NewestName } from "../../log/newest/names.ts";
import { compareUpdates, isPlausible } from "../../log/update_order.ts";
import type { Core } from "../../state/core.ts";
import { hashOf } from "../../update.ts";
import type { MissingFeeds } from "./missing_feeds.ts";
import { inboxUpdateOf } from "../inbox_update.ts";
import { PARALLEL_FEEDS, type ReadingBudget } from "../reading_budget.ts";
import type { Receivers } from "../receivers.ts";
import type { RestoreProgress } from "../watcher.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Approximate memory of parsed content per character of its JSON, in bytes. */
const BYTES_PER_JSON_CHARACTER = 4;

/** Dependencies of restoring. */
export interface RestoreContext extends Core {
  /** The plugins that receive the updates. */
  readonly receivers: Receivers;
  /** Limits of requests and memory, shared with reading the log. */
  readonly budget: ReadingBudget;
  /** Aborts restoring. */
  readonly signal: AbortSignal;
  /** Called with the progress. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

/** Options of {@linkcode Restorer}. */
export interface DeliverOptions {
  /** Whether to deliver updates again that the plugins have received. @default false */
  readonly again?: boolean | undefined;
  /** Name of the only plugin that receives these again. @default all plugins */
  readonly only?: string | undefined;
  /** Whether to note updates as known, without delivering them. @default false */
  readonly onlyNotes?: boolean | undefined;
}

/** Who receives an update. */
interface Recipient {
  /** Whether it was never delivered here. */
  readonly isMissing: boolean;
  /** Name of the only plugin. @default all plugins */
  readonly plugin?: string | undefined;
}

/** Why an update could not be restored. */
export type Obstacle = UnreadableError | AccessDeniedError;

/** Restores feeds, and collects what it could not read. */
export class Restorer {
  /** Errors of the objects that could not be read. */
  readonly obstacles: Obstacle[] = [];
  readonly #context: RestoreContext;
  readonly #options: DeliverOptions;
  #done = 0;
  #total = 0;

  /** Creates a restorer, without delivering anything yet. */
  constructor(context: RestoreContext, options: DeliverOptions = {}) {
    this.#context = context;
    this.#options = options;
  }

  /** Adds to the number of feeds to restore. */
  expect(feeds: number): void {
    this.#total += feeds;
    this.#reportProgress();
  }

  /** Counts a feed as processed. */
  tick(): void {
    this.#done++;
    this.#reportProgress();
  }

  /**
   * Reads and delivers the missing updates. If the newest update of a feed cannot be read, notes
   * the obstacle and delivers the newest readable one: anyone who can write to the bucket can forge
   * keys.
   */
  async restore(missing: MissingFeeds): Promise<void> {
    this.expect(missing.size);
    const limits = { limit: PARALLEL_FEEDS, signal: this.#context.signal };
    await forEachConcurrently(missing.take(), limits, async (names, signal) => {
      signal.throwIfAborted();
      const update = await this.#read(names);
      if (update) await this.deliver(update, signal);
      this.tick();
    });
  }

  /** Delivers an update, unless the plugins have received it or a newer one. */
  async deliver(update: NewestUpdate, signal: AbortSignal): Promise<void> {
    const { receivers, budget } = this.#context;
    using _held = await budget.decoded.hold(() => ({ size: sizeOf(update) }));
    using _lock = await receivers.lock(update.url, signal);
    const recipient = this.#recipient(update);
    if (recipient === "nobody" || !this.#note(update, recipient) || this.#options.onlyNotes) return;
    const { stream, ...stored } = update;
    const handover = { stream, stored, isRestored: true, only: recipient.plugin };
    const failures = await budget.deliveries.low.run(async () => {
      signal.throwIfAborted();
      return await receivers.handOver(handover, signal) ?? [];
    });
    this.#context.state.transaction(() => {
      for (const failed of failures) this.#context.state.deadLetters.add(receivers.letter(failed));
      this.#context.state.newest.noteDelivered(update.url, update.id);
    }, { durable: false });
    for (const failed of failures) await receivers.reportDeadLetter(failed);
  }

  /** Who receives the update: everybody, unless they already have. */
  #recipient({ url, time, id }: NewestUpdate): Recipient | "nobody" {
    const { state, log } = this.#context;
    const delivered = state.newest.delivered(url);
    const isMissing = !delivered || !isPlausible(delivered.time, log.now()) ||
      compareUpdates(delivered, { time: Date.parse(time), id }) < 0;
    if (isMissing) return { isMissing };
    return this.#options.again ? { isMissing, plugin: this.#options.only } : "nobody";
  }

  /**
   * Notes an update before the plugins run, so that nobody publishes it again. Returns whether to
   * deliver it: the removal of a feed that is unknown here is only noted.
   */
  #note(update: NewestUpdate, { isMissing }: Recipient): boolean {
    const { state, log } = this.#context, { newest } = state;
    const { url, id, stream, seq, removed } = update;
    const version = { time: Date.parse(update.time), id, hash: hashOf(update) };
    const isDelivered = removed === true && newest.get(url) === undefined;
    const options = { place: { stream, seq }, isDelivered, now: log.now() };
    const isNews = state.transaction(() => {
      const isNews = newest.note(url, version, options);
      if (isMissing && !isDelivered && !this.#options.onlyNotes) this.#takeIn(update);
      return isNews;
    }, { durable: false });
    const arrival = { id, url, stream, time: update.time, removed, isRestored: true };
    if (isNews && !isDelivered) state.arrivals.tell(() => [arrival]);
    return !isDelivered;
  }

  /** Takes what was missing into the inbox of consumers; what comes again is for plugins only. */
  #takeIn(update: NewestUpdate): void {
    const { state: { inbox, inboxUpkeep }, environment: { clock } } = this.#context;
    if (!inbox.isWanted()) return;
    inbox.takeRestored(inboxUpdateOf(update.stream, update), clock.now());
    inboxUpkeep.bound();
  }

  /** Reads the newest readable update; the names must be sorted, the newest first. */
  async #read(names: readonly NewestName[]): Promise<NewestUpdate | undefined> {
    const obstacles: Obstacle[] = [];
    const update = await this.#readFirst(names, obstacles);
    if (obstacles.some((error) => error instanceof MissingObjectError)) {
      // Perhaps a cleanup has deleted it, because there is a newer one.
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
    return newestFirst(group, log.now()).filter((other) => compareNewest(name, other) < 0);
  }

  #reportProgress(): void {
    try {
      this.#context.onProgress?.({ restored: this.#done, total: this.#total });
    } catch (error) {
      logger.error("onProgress failed: {message}", { message: messageOf(error) });
    }
  }
}

/** Approximate memory of an update in bytes. */
function sizeOf({ content, metadata }: NewestUpdate): number {
  const isRaw = typeof content === "string" || content instanceof Uint8Array;
  const json = JSON.stringify(isRaw ? metadata : { content, metadata });
  return BYTES_PER_JSON_CHARACTER * json.length + (isRaw ? 2 * content.length : 0);
}
