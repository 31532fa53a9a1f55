/**
 * Reads single updates at known places in the log. Whoever asks in the order of places has each
 * object fetched once.
 *
 * @module
 */
import type { DecodedObject } from "../log/codec.ts";
import type { NewestUpdate } from "../log/newest/body.ts";
import type { ObjectName } from "../log/names.ts";
import { whyUnreadable } from "../log/bucket_log.ts";
import type { Core } from "../state/core.ts";
import type { Place } from "../state/newest.ts";

/** Listings and objects are kept for so long after their last use. */
const KEPT_MS = 30_000;

/** Maximum number of streams whose listing is kept, and of objects. */
const MAX_STREAMS = 8, MAX_OBJECTS = 2;

/** Larger objects are not kept. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** Keeps what was read last. */
export class LogObjects {
  readonly #core: Core;
  readonly #names = new Map<string, Promise<readonly ObjectName[]>>();
  readonly #objects = new Map<string, Promise<DecodedObject | undefined>>();
  #cancelTimer = () => {};

  /** Creates it, without reading anything yet. */
  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * The update with this id at its place in the log; undefined when it is gone, or cannot be read.
   *
   * @throws {StoreUnavailableError} when the store cannot be reached.
   */
  async find(
    { stream, seq }: Place,
    id: string,
    signal: AbortSignal,
  ): Promise<NewestUpdate | undefined> {
    this.#keepForAWhile();
    const names = await this.#list(stream, signal);
    for (const name of names.filter(({ first, last }) => first <= seq && seq <= last)) {
      const object = await this.#read(name, signal);
      const update = object?.updates.find((update) => update.seq === seq && update.id === id);
      if (update) return { ...update, stream };
    }
    return undefined;
  }

  #list(stream: string, signal: AbortSignal): Promise<readonly ObjectName[]> {
    const { log } = this.#core;
    return kept(this.#names, MAX_STREAMS, stream, async () => {
      const tail = await log.listStream("tail", stream, { signal });
      return [...tail, ...await log.listStream("segments", stream, { signal })];
    });
  }

  async #read(name: ObjectName, signal: AbortSignal): Promise<DecodedObject | undefined> {
    const read = kept(this.#objects, MAX_OBJECTS, name.key, async () => {
      try {
        return (await this.#core.log.read(name, { signal }))?.decode();
      } catch (error) {
        if (!whyUnreadable(error)) throw error;
        return undefined;
      }
    });
    const object = await read;
    if ((object?.size ?? 0) > MAX_KEPT_BYTES) this.#objects.delete(name.key);
    return object;
  }

  #keepForAWhile(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#core.environment.clock.setTimer(KEPT_MS, () => this.forget());
  }

  /** Forgets what was read. */
  forget(): void {
    this.#cancelTimer();
    this.#names.clear();
    this.#objects.clear();
  }
}

/** What the map has, or what `make` makes for it; failures are not kept. */
function kept<T>(
  map: Map<string, Promise<T>>,
  most: number,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const known = map.get(key);
  map.delete(key);
  const value = known ?? make();
  map.set(key, value);
  value.catch(() => map.get(key) === value && map.delete(key));
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
  return value;
}
