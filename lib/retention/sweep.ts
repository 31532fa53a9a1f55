/**
 * Sweeping: of each feed only the newest update stays in `newest/`. It is the greatest of its group that
 * counts, once it was read, or written just now; never what a server happens to know.
 *
 * @module
 */
import { forEachConcurrently } from "../base/concurrently.ts";
import { type BucketLog, whyUnreadable } from "../log/bucket_log.ts";
import { compareNewest, type DatedNewest, greatestOf } from "../log/newest/names.ts";
import type { FailedDelete, StoreOptions } from "../stores/store.ts";

/** So many requests are under way at once. */
const LIMIT = 8;

/** A group is swept part by part when it has more objects: somebody fills it. */
const MAX_GROUP = 1000;

/** As many objects go with one request to delete. */
const MAX_DELETED = 1000;

/** How to sweep. */
export interface SweepOptions extends StoreOptions {
  /** The store's time. */
  readonly now: number;
  /** Keys of objects that this cleanup has written itself. */
  readonly written: ReadonlySet<string>;
  /** Delete nothing. */
  readonly dryRun: boolean;
}

/** What is in `newest/`. */
export interface NewestSize {
  /** Objects there. */
  readonly objects: number;
  /** Their bytes. */
  readonly bytes: number;
}

/** Deletes from `newest/` what is not the newest of its feed. */
export class Sweeper {
  /** How many objects were deleted, or would be. */
  swept = 0;
  /** What could not be deleted. */
  readonly failures: FailedDelete[] = [];
  readonly #log: BucketLog;
  readonly #options: SweepOptions;
  #sweptBytes = 0;
  #lesser = new Map<string, DatedNewest>();

  /** Sweeps in `log`. */
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

  /** Sweeps all there is; resolves to what is left. */
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

  /** Whether what its key says is there. */
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
 * The groups, as their objects come. Where a store does not list in the order of keys, a group comes in
 * parts: what is lesser in a part is lesser in all.
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
