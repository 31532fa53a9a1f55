/**
 * Carrying: copies updates out of expiring objects to `newest/`, where they are kept permanently.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { forEachConcurrently } from "../base/concurrently.ts";
import { CorruptObjectError, messageOf } from "../errors.ts";
import { feedIdentity } from "../feed_url.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import type { NewestUpdate } from "../log/newest/body.ts";
import type { NewestName } from "../log/newest/names.ts";
import { compareUpdates, isPlausible, type OrderedUpdate } from "../log/update_order.ts";
import type { NewestRow } from "../state/newest.ts";
import type { RemainingLog } from "./remaining_log.ts";

const logger = getLogger(["feedsync", "cleanup"]);

/** Maximum number of concurrent requests. */
const LIMIT = 8;

/**
 * Maximum number of feeds remembered per cleanup. For further feeds, older updates are carried,
 * too, which is harmless.
 */
const MAX_REMEMBERED = 20_000;

/** Options of {@linkcode Carrier}. */
export interface CarrierOptions {
  /** The objects that remain in the log. */
  readonly remaining: RemainingLog;
  /**
   * Looks up the newest known update of a feed. @default none is known, so everything is carried
   */
  readonly known?: ((url: string) => NewestRow | undefined) | undefined;
  /** Only count; write nothing. */
  readonly dryRun: boolean;
  /** Aborts carrying. */
  readonly signal?: AbortSignal | undefined;
}

/** Collects the newest update of each feed from a batch of objects. */
export class NewestPerFeed {
  readonly #newest = new Map<string, NewestUpdate>();

  /**
   * Adds the updates of an object. Skips updates with an implausible time, which would be the
   * newest of their feeds forever.
   */
  add(updates: Iterable<NewestUpdate>, lastModified: number): void {
    for (const update of updates) {
      const feed = feedIdentity(update.url), known = this.#newest.get(feed);
      if (!isPlausible(Date.parse(update.time), lastModified)) continue;
      if (!known || isNewer(orderOf(update), orderOf(known))) this.#newest.set(feed, update);
    }
  }

  /** The newest update of each feed, by {@linkcode feedIdentity}. */
  get newest(): ReadonlyMap<string, NewestUpdate> {
    return this.#newest;
  }
}

/** Writes updates to `newest/`. */
export class Carrier {
  /** Number of updates carried; in a dry run, that would be carried. */
  carried = 0;
  readonly #log: BucketLog;
  readonly #options: CarrierOptions;
  /** The newest update of each feed that this cleanup has written to `newest/`. */
  readonly #written = new Map<string, NewestName>();

  /** Creates a carrier for `log`. */
  constructor(log: BucketLog, options: CarrierOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** The newest update of each feed that was written in this cleanup. */
  get written(): Iterable<NewestName> {
    return this.#written.values();
  }

  /**
   * Carries the updates that are not superseded. If this rejects, their objects must be kept.
   *
   * @throws {AccessDeniedError | StoreUnavailableError} when an update cannot be written.
   */
  async carry({ newest }: NewestPerFeed): Promise<void> {
    const due = [...newest].filter(([feed, update]) => !this.#isSuperseded(feed, update));
    await forEachConcurrently(due, { limit: LIMIT }, (entry) => this.#write(...entry));
  }

  /**
   * Whether the bucket certainly has a newer update: this cleanup has written it, or has listed it
   * in an object that remains. The state alone is no proof, since the bucket may have been emptied.
   */
  #isSuperseded(feed: string, update: NewestUpdate): boolean {
    const { known, remaining } = this.#options, order = orderOf(update);
    const written = this.#written.get(feed), row = known?.(update.url);
    return written !== undefined && !isNewer(order, written) ||
      row !== undefined && isNewer(row, order) && remaining.holds(row);
  }

  async #write(feed: string, update: NewestUpdate): Promise<void> {
    const { dryRun, signal } = this.#options;
    try {
      const name = await (dryRun
        ? this.#log.newest.nameOf(update)
        : this.#log.newest.write(update, { signal }));
      this.carried++;
      if (this.#written.size < MAX_REMEMBERED) {
        this.#written.set(feed, name);
      }
    } catch (error) {
      // It exceeds the limits of published updates, so it is forged, and nobody could read it.
      if (!(error instanceof CorruptObjectError)) throw error;
      logger.warn("Cannot keep the newest update of a feed: {message}", {
        message: messageOf(error),
      });
    }
  }
}

function orderOf({ time, id }: NewestUpdate): OrderedUpdate {
  return { time: Date.parse(time), id };
}

function isNewer(one: OrderedUpdate, other: OrderedUpdate): boolean {
  return compareUpdates(one, other) > 0;
}
