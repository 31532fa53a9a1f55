/**
 * Reads the objects of own streams back, to compare them with what was published. Some cannot be
 * read yet: a listing shows them but a GET does not find them, because a cache or a replica lags,
 * or this server lacks their key. Nothing is concluded from that, and nothing deleted. They are
 * read later.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { RetrySchedule } from "../../base/backoff.ts";
import { type Clock, type Environment, sleep } from "../../base/environment.ts";
import { messageOf } from "../../errors.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import { whyUnreadable } from "../../log/why_unreadable.ts";
import type { StoredUpdate } from "../../log/codec.ts";
import type { ObjectName } from "../../log/names.ts";
import { MAX_LISTING_LAG_MS, type StoreOptions } from "../../stores/store.ts";

/**
 * Maximum number of GETs of {@linkcode ReadBackReader.readAll} for one listed object; then it is
 * read later.
 */
const MAX_TRIES = 3;

/** Delays between attempts to fetch an absent object. */
const RETRY_RANGE = { minMs: 1000, maxMs: 10 * 60_000 };

const logger = getLogger(["feedsync", "publish"]);

/**
 * The updates of an object, or why there are none: it is "corrupt" when it is not what its key
 * says, or the store refuses to hand it out, "locked" when this server lacks its key, or is too old
 * for its format, and undefined when a GET does not find it.
 */
export type ReadResult = readonly StoredUpdate[] | "corrupt" | "locked" | undefined;

/** Reads objects of own streams back, and remembers which could not be read. */
export class ReadBackReader {
  readonly #log: Pick<BucketLog, "keysRevision" | "read">;
  readonly #clock: Clock;
  readonly #absent: RetrySchedule;
  readonly #locked = new Set<string>();
  #keysRevision: number;

  /** Creates a reader, without reading yet. */
  constructor(log: Pick<BucketLog, "keysRevision" | "read">, environment: Environment) {
    this.#log = log;
    this.#clock = environment.clock;
    this.#absent = new RetrySchedule(environment, RETRY_RANGE);
    this.#keysRevision = log.keysRevision;
  }

  /** Whether {@linkcode readAll} could not read the object with the present keys. */
  isLocked({ key }: ObjectName): boolean {
    this.#forgetLockedWhenKeysChange();
    return this.#locked.has(key);
  }

  /** Whether the last GET did not find the object. */
  isAbsent({ key }: ObjectName): boolean {
    return this.#absent.hasFailed(key);
  }

  /** Whether it is time to read the object: an absent one has to wait. */
  isDue({ key }: ObjectName): boolean {
    return this.#absent.isDue(key);
  }

  /** Leaves the object for later: it is absent, or so is one that it must be compared with. */
  postpone({ key }: ObjectName): void {
    this.#absent.fail(key);
  }

  /**
   * Reads an object. A corrupt one is read twice, because it may have been cut short on the way,
   * and a stream with a damaged object is given up.
   */
  async read(name: ObjectName, options: StoreOptions): Promise<ReadResult> {
    const first = await this.#readOnce(name, options);
    const result = first === "corrupt" ? await this.#readOnce(name, options) : first;
    if (result === undefined) this.#absent.fail(name.key);
    else this.#absent.succeed(name.key);
    return result;
  }

  /**
   * Reads every object that `list` shows, as far as it can be read. An object that a GET does not
   * find was sealed or superseded meanwhile, or a replica lags: so the objects are listed again,
   * which also shows what holds the updates now. An object that is still listed and not found in
   * the end is absent.
   */
  async *readAll(
    list: () => Promise<readonly ObjectName[]>,
    options: StoreOptions,
  ): AsyncIterable<{ readonly name: ObjectName; readonly updates: readonly StoredUpdate[] }> {
    const tries = new Map<string, number>();
    let missed: ObjectName[] = [];
    do {
      await sleep(this.#clock, MAX_LISTING_LAG_MS, options.signal);
      const names = await list(), listed = new Set(names.map(({ key }) => key));
      for (const { key } of missed) if (!listed.has(key)) this.#absent.succeed(key);
      missed = [];
      for (const name of names) {
        const tried = tries.get(name.key) ?? 0;
        if (tried >= MAX_TRIES) continue;
        const updates = await this.read(name, options);
        tries.set(name.key, updates === undefined ? tried + 1 : MAX_TRIES);
        if (updates === undefined) missed.push(name);
        else if (updates === "locked") this.#lock(name);
        else if (updates !== "corrupt") yield { name, updates };
      }
    } while (missed.length > 0);
  }

  async #readOnce(name: ObjectName, options: StoreOptions): Promise<ReadResult> {
    try {
      return (await this.#log.read(name, options))?.decode().updates;
    } catch (error) {
      const reason = whyUnreadable(error);
      if (!reason) throw error;
      if (reason !== "locked") return "corrupt";
      logger.warn("{message}; it is in an own stream, but counts as written by another server", {
        message: messageOf(error),
      });
      return "locked";
    }
  }

  #lock({ key }: ObjectName): void {
    this.#forgetLockedWhenKeysChange();
    this.#locked.add(key);
  }

  #forgetLockedWhenKeysChange(): void {
    if (this.#keysRevision === this.#log.keysRevision) return;
    this.#locked.clear();
    this.#keysRevision = this.#log.keysRevision;
  }
}
