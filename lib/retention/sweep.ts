/**
 * Sweeping: deletes all but the newest update of each feed from `newest/`. Before that, the newest
 * object must have been read successfully, or written by the same cleanup.
 *
 * @module
 */
import { forEachConcurrently } from "../base/concurrently.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import { whyUnreadable } from "../log/why_unreadable.ts";
import { compareNewest, type DatedNewest, greatestOf } from "../log/newest/names.ts";
import type { FailedDelete, StoreOptions } from "../stores/store.ts";

/** Maximum number of concurrent requests. */
const LIMIT = 8;

/** Maximum number of objects of a group held in memory; a larger group is swept in parts. */
const MAX_GROUP = 1000;

/** Maximum number of objects in one DELETE request. */
const MAX_DELETED = 1000;

/** Options of {@linkcode Sweeper}. */
export interface SweepOptions extends StoreOptions {
  /** The store's time. */
  readonly now: number;
  /** Keys of the objects that this cleanup has written. */
  readonly written: ReadonlySet<string>;
  /** Only count; delete nothing. */
  readonly dryRun: boolean;
}

/** The size of `newest/`. */
export interface NewestSize {
  /** Number of objects. */
  readonly objects: number;
  /** Total size of the objects in bytes. */
  readonly bytes: number;
}

/** Deletes objects from `newest/` that are not the newest of their feeds. */
export class Sweeper {
  /** Number of objects deleted; in a dry run, that would be deleted. */
  swept = 0;
  /** Objects that could not be deleted. */
  readonly failures: FailedDelete[] = [];
  readonly #log: BucketLog;
  readonly #options: SweepOptions;
  #sweptBytes = 0;
  #lesser = new Map<string, DatedNewest>();

  /** Creates a sweeper for `log`. */
  constructor(log: BucketLog, options: SweepOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** Sweeps the groups with these hashes. */
  async sweepGroups(hashes: Iterable<string>): Promise<void> {
    const { signal } = this.#options;
    await forEachConcurrently(new Set(hashes), { limit: LIMIT }, async (hash) => {
      await this.#sweepGroup(await this.#log.newest.listGroup(hash, { signal }));
    });
    await this.#deleteLesser();
  }

  /** Sweeps all of `newest/`; resolves to its size afterwards. */
  async sweepAll(): Promise<NewestSize> {
    const { signal } = this.#options;
    const size = { objects: 0, bytes: 0 };
    const listed = this.#log.newest.list({ signal });
    await forEachConcurrently(groupsOf(listed), { limit: LIMIT }, async (names) => {
      size.objects += names.length;
      for (const { size: bytes } of names) size.bytes += bytes;
      await this.#sweepGroup(names);
    });
    await this.#deleteLesser();
    return { objects: size.objects - this.swept, bytes: size.bytes - this.#sweptBytes };
  }

  async #sweepGroup(names: readonly DatedNewest[]): Promise<void> {
    const greatest = greatestOf(names, this.#options.now);
    if (!greatest) return;
    const lesser = names.filter((name) => compareNewest(name, greatest) < 0);
    if (lesser.length === 0 || !await this.#isVerified(greatest)) return;
    for (const name of lesser) this.#lesser.set(name.key, name);
    if (this.#lesser.size >= MAX_DELETED) await this.#deleteLesser();
  }

  /** Whether the object can be read and matches its key. */
  async #isVerified(name: DatedNewest): Promise<boolean> {
    const { written, signal } = this.#options;
    if (written.has(name.key)) return true;
    try {
      return await this.#log.newest.read(name, { signal }) !== undefined;
    } catch (error) {
      if (whyUnreadable(error) === undefined) throw error;
      return false;
    }
  }

  async #deleteLesser(): Promise<void> {
    const { dryRun, signal } = this.#options;
    const lesser = this.#lesser;
    this.#lesser = new Map();
    if (lesser.size === 0) return;
    const failures = dryRun ? [] : await this.#log.delete([...lesser.keys()], { signal });
    this.failures.push(...failures);
    for (const { key } of failures) lesser.delete(key);
    this.swept += lesser.size;
    for (const { size } of lesser.values()) this.#sweptBytes += size;
  }
}

/**
 * Splits a listing into groups. If the store does not sort listings, a group may be split: an
 * object that is not the greatest in its part is not the greatest of the group either.
 */
async function* groupsOf(names: AsyncIterable<DatedNewest>): AsyncIterable<DatedNewest[]> {
  let group: DatedNewest[] = [];
  for await (const name of names) {
    if (group.length > 0 && (group[0].hash !== name.hash || group.length >= MAX_GROUP)) {
      yield group;
      group = [];
    }
    group.push(name);
  }
  if (group.length > 0) yield group;
}
