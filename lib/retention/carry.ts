/**
 * Carrying: what would be gone with the objects that expire is first kept in `newest/`, for good.
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
import type { Staying } from "./staying.ts";

const logger = getLogger(["feedsync", "cleanup"]);

/** So many requests are under way at once. */
const LIMIT = 8;

/** So many feeds are remembered in a cleanup. Of others, older updates are carried as well: harmless. */
const MAX_REMEMBERED = 20_000;

/** What a cleanup carries with. */
export interface CarrierOptions {
  /** What stays in the log. */
  readonly staying: Staying;
  /** The newest update that this server knows of a feed. @default it knows nothing, and all is carried */
  readonly known?: ((url: string) => NewestRow | undefined) | undefined;
  /** Write nothing. */
  readonly dryRun: boolean;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** The newest update of each feed in some objects that go together. */
export class Going {
  readonly #newest = new Map<string, NewestUpdate>();

  /**
   * Adds what is in an object. A time that its publisher cannot have meant is left out: it would pass for
   * the newest of its feed for good.
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

/** Puts updates into `newest/`. */
export class Carrier {
  /** How many updates were carried, or would be. */
  carried = 0;
  readonly #log: BucketLog;
  readonly #options: CarrierOptions;
  /** What is in `newest/` since this cleanup has put it there, by feed. */
  readonly #written = new Map<string, NewestName>();

  /** Carries within `log`. */
  constructor(log: BucketLog, options: CarrierOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** What was put under `newest/` in this cleanup; of a feed the newest. */
  get written(): Iterable<NewestName> {
    return this.#written.values();
  }

  /**
   * Carries what is not superseded. When it rejects, nothing of it may be deleted.
   *
   * @throws {AccessDeniedError | StoreUnavailableError} when an update cannot be written.
   */
  async carry({ newest }: Going): Promise<void> {
    const due = [...newest].filter(([feed, update]) => !this.#isSuperseded(feed, update));
    await forEachConcurrently(due, { limit: LIMIT }, (entry) => this.#write(...entry));
  }

  /**
   * Whether something newer is in the bucket for sure: this cleanup has put it there, or its own listing
   * shows it. That it is known proves nothing: the bucket may have been emptied since.
   */
  #isSuperseded(feed: string, update: NewestUpdate): boolean {
    const { known, staying } = this.#options, order = orderOf(update);
    const written = this.#written.get(feed), row = known?.(update.url);
    return written !== undefined && !isNewer(order, written) ||
      row !== undefined && isNewer(row, order) && staying.holds(row);
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
      // Nobody could read it: it is forged, as nobody can publish it.
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
