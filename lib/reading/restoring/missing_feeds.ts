/**
 * Which feeds this server lacks the newest update of: what the bucket keeps for good, compared with what the
 * plugins have had.
 *
 * @module
 */
import { sleep } from "../../base/environment.ts";
import type { TaskRunner } from "../../base/semaphore.ts";
import { type DatedNewest, type NewestName, parseNewestKey } from "../../log/newest/names.ts";
import { compareUpdates, isPlausible, type OrderedUpdate } from "../../log/update_order.ts";
import type { Core } from "../../state/core.ts";
import type { KnownUpdate } from "../../state/newest.ts";
import { MAX_LISTING_LAG_MS } from "../../stores/store.ts";

/** So many URLs of the state are hashed at once: one after the other takes ten times as long. */
const HASHED_AT_ONCE = 1000;

/** Where to look, and for what. */
export interface MissingOptions {
  /** Only updates of this time or later, in milliseconds since 1970. @default all */
  readonly since?: number | undefined;
  /** What need not be brought again. @default what the plugins have had */
  readonly known?: ((url: string, limit: number) => readonly KnownUpdate[]) | undefined;
  /** Bounds its requests. @default nothing does */
  readonly requests?: TaskRunner | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * The feeds, each with the names of its updates that are newer than what is known. There may be a million: it
 * holds keys, which are short, and nothing else.
 */
export class MissingFeeds {
  readonly #keys = new Map<string, string | string[]>();

  /** Adds an update of a feed, once. */
  add({ hash, key }: NewestName): void {
    const known = this.#keys.get(hash);
    if (known === undefined) this.#keys.set(hash, key);
    else if (typeof known === "string") {
      if (known !== key) this.#keys.set(hash, [known, key]);
    } else if (!known.includes(key)) known.push(key);
  }

  /** Whether the feed with this hash has the update, or a newer one. */
  reaches(hash: string, update: OrderedUpdate): boolean {
    const keys = [this.#keys.get(hash) ?? []].flat();
    return keys.some((key) => compareUpdates(parseNewestKey(key)!, update) >= 0);
  }

  /** Leaves out the feed with this hash. */
  drop(hash: string): void {
    this.#keys.delete(hash);
  }

  /** How many feeds there are. */
  get size(): number {
    return this.#keys.size;
  }

  /** Takes out one feed after the other: its updates, the newest first. */
  *take(): Generator<NewestName[]> {
    for (const [hash, keys] of this.#keys) {
      this.#keys.delete(hash);
      const sorted = typeof keys === "string" ? [keys] : keys.toSorted().reverse();
      yield sorted.map((key) => parseNewestKey(key)!);
    }
  }
}

/**
 * Finds the feeds for a server that, with `looksTwice`, does not know yet what there is: then it lists again after
 * the lag of listings, unless they do not lag, and yields what is missing by then. What was found first is to
 * be restored meanwhile.
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

/** Finds the feeds. Where nothing is missing this takes LISTs only. */
export async function findMissing(core: Core, options: MissingOptions): Promise<MissingFeeds> {
  const { log } = core, { since = 0, requests, signal } = options;
  const known = await hashKnown(core, options);
  const missing = new MissingFeeds();
  const list = async () => {
    for await (const name of log.newest.list({ signal })) {
      if (name.time < since || !isPlausible(name.time, name.lastModified ?? log.now())) continue;
      if (isNewer(name, known.get(name.hash))) missing.add(name);
    }
  };
  await (requests ? requests.run(list) : list());
  return missing;
}

/** What is known, by the hashes under which it may be found. */
async function hashKnown(
  { state, log }: Core,
  { known = (url, limit) => state.newest.had(url, limit), signal }: MissingOptions,
): Promise<Map<string, string>> {
  const order = new Map<string, string>();
  const now = log.now();
  for (let after = "";;) {
    signal.throwIfAborted();
    const updates = known(after, HASHED_AT_ONCE);
    if (updates.length === 0) return order;
    after = updates.at(-1)!.url;
    // What is not plausible was noted before the store's clock was set back, and is not newer.
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

/** Sorts as updates do, in few bytes. */
function orderOf({ time, id }: OrderedUpdate): string {
  return `${String(time).padStart(16, "0")}.${id}`;
}
