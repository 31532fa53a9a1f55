/**
 * Finds the feeds whose newest update is missing here: compares `newest/` with the delivered
 * updates.
 *
 * @module
 */
import { sleep } from "../../base/environment.ts";
import type { TaskRunner } from "../../base/semaphore.ts";
import {
  type DatedNewest,
  hasPlausibleTime,
  type NewestName,
  parseNewestKey,
} from "../../log/newest/names.ts";
import { HASH_BATCH } from "../../log/newest/newest_log.ts";
import { compareUpdates, isPlausible, type OrderedUpdate } from "../../log/update_order.ts";
import type { Core } from "../../state/core.ts";
import type { KnownUpdate } from "../../state/newest.ts";
import { MAX_LISTING_LAG_MS } from "../../stores/store.ts";

/** Options of {@linkcode findMissing}. */
export interface MissingOptions {
  /** Only updates published then or later, in milliseconds since 1970. @default all */
  readonly since?: number | undefined;
  /** Pages of updates that are not missing. @default those delivered to the plugins */
  readonly known?: ((url: string, limit: number) => readonly KnownUpdate[]) | undefined;
  /** Limits its requests. @default unlimited */
  readonly requests?: TaskRunner | undefined;
  /** Aborts listing. */
  readonly signal: AbortSignal;
}

/**
 * Feeds with the names of their missing updates. Holds only keys, since there may be a million
 * feeds.
 */
export class MissingFeeds {
  readonly #keys = new Map<string, string | string[]>();

  /** Adds an update of a feed, unless it was added before. */
  add({ hash, key }: NewestName): void {
    const known = this.#keys.get(hash);
    if (known === undefined) this.#keys.set(hash, key);
    else if (typeof known === "string") {
      if (known !== key) this.#keys.set(hash, [known, key]);
    } else if (!known.includes(key)) known.push(key);
  }

  /** Whether the feed with this hash has this or a newer update. */
  reaches(hash: string, update: OrderedUpdate): boolean {
    const keys = [this.#keys.get(hash) ?? []].flat();
    return keys.some((key) => compareUpdates(parseNewestKey(key)!, update) >= 0);
  }

  /** Removes the feed with this hash. */
  drop(hash: string): void {
    this.#keys.delete(hash);
  }

  /** Number of feeds. */
  get size(): number {
    return this.#keys.size;
  }

  /** Removes the feeds one by one; yields the names of each, the newest first. */
  *take(): Generator<NewestName[]> {
    for (const [hash, keys] of this.#keys) {
      this.#keys.delete(hash);
      const sorted = typeof keys === "string" ? [keys] : keys.toSorted().reverse();
      yield sorted.map((key) => parseNewestKey(key)!);
    }
  }
}

/**
 * Finds the missing feeds. With `looksTwice`, for a new server, it lists again once listings can no
 * longer lag, and yields what is missing then. The feeds found first can be restored meanwhile.
 */
export async function* findMissingFeeds(
  core: Core,
  { looksTwice, ...options }: MissingOptions & { readonly looksTwice: boolean },
): AsyncIterable<MissingFeeds> {
  const { log, environment: { clock } } = core;
  const first = await findMissing(core, options);
  const listedAt = clock.elapsed();
  yield first;
  if (!looksTwice || log.listsAtOnce) return;
  const leftMs = listedAt + MAX_LISTING_LAG_MS - clock.elapsed();
  if (leftMs > 0) await sleep(clock, leftMs, options.signal);
  yield await findMissing(core, options);
}

/** Finds the missing feeds, using LISTs only. */
export async function findMissing(core: Core, options: MissingOptions): Promise<MissingFeeds> {
  const { log } = core, { since = 0, requests, signal } = options;
  const known = await hashKnown(core, options);
  const missing = new MissingFeeds();
  const list = async () => {
    for await (const name of log.newest.list({ signal })) {
      if (name.time < since || !hasPlausibleTime(name, log.now())) continue;
      if (isNewer(name, known.get(name.hash))) missing.add(name);
    }
  };
  await (requests ? requests.run(list) : list());
  return missing;
}

/** The known updates, by all hashes of their feeds. */
async function hashKnown(
  { state, log }: Core,
  { known = (url, limit) => state.newest.deliveredPage(url, limit), signal }: MissingOptions,
): Promise<Map<string, string>> {
  const order = new Map<string, string>();
  const now = log.now();
  for (let after = "";;) {
    signal.throwIfAborted();
    const updates = known(after, HASH_BATCH);
    if (updates.length === 0) return order;
    after = updates.at(-1)!.url;
    // Implausible times were noted before the store's clock was set back; they do not count.
    const plausible = updates.filter(({ time }) => isPlausible(time, now));
    const hashes = await Promise.all(plausible.map(({ url }) => log.newest.hashesOf(url)));
    for (const [index, update] of plausible.entries()) {
      for (const hash of hashes[index]) order.set(hash, orderOf(update));
    }
  }
}

function isNewer(name: DatedNewest, known: string | undefined): boolean {
  return known === undefined || orderOf(name) > known;
}

/** A short string that sorts like updates. */
function orderOf({ time, id }: OrderedUpdate): string {
  return `${String(time).padStart(16, "0")}.${id}`;
}
