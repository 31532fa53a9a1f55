/**
 * Reads single updates at known places in the log. Whoever asks in the order of places has each
 * object fetched once.
 *
 * @module
 */
import { abortable } from "../base/deadline.ts";
import type { DecodedObject, StoredUpdate } from "../log/codec.ts";
import type { NewestUpdate } from "../log/newest/body.ts";
import type { ObjectName } from "../log/names.ts";
import { CorruptObjectError } from "../errors.ts";
import type { Core } from "../state/core.ts";
import type { Place } from "../state/places.ts";

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
  readonly #closed = new AbortController();
  #cancelTimer = () => {};

  /** Creates it, without reading anything yet. */
  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * The update with this id at its place in the log; undefined when it is gone or damaged.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
   * @throws {MissingKeyError | UnsupportedFormatError} when reading it takes a key or an upgrade.
   */
  async find(
    { stream, seq }: Place,
    id: string,
    signal: AbortSignal,
  ): Promise<NewestUpdate | undefined> {
    this.#keepForAWhile();
    const known = this.#names.get(stream);
    const update = await this.#findIn(stream, { seq, id, signal });
    if (update || !known) return update && { ...update, stream };
    // What was listed before may have been sealed, or deleted, meanwhile.
    if (this.#names.get(stream) === known) this.#names.delete(stream);
    const again = await this.#findIn(stream, { seq, id, signal });
    return again && { ...again, stream };
  }

  async #findIn(
    stream: string,
    { seq, id, signal }: { seq: number; id: string; signal: AbortSignal },
  ): Promise<StoredUpdate | undefined> {
    // What several wait for must not end with one of them.
    const names = await abortable(this.#list(stream), signal);
    for (const name of names.filter(({ first, last }) => first <= seq && seq <= last)) {
      const object = await abortable(this.#read(name), signal);
      const update = object?.updates.find((update) => update.seq === seq && update.id === id);
      if (update) return update;
    }
    return undefined;
  }

  #list(stream: string): Promise<readonly ObjectName[]> {
    const { log } = this.#core, { signal } = this.#closed;
    return kept(this.#names, MAX_STREAMS, stream, async () => {
      const tail = await log.listStream("tail", stream, { signal });
      return [...tail, ...await log.listStream("segments", stream, { signal })];
    });
  }

  async #read(name: ObjectName): Promise<DecodedObject | undefined> {
    const { signal } = this.#closed;
    const read = kept(this.#objects, MAX_OBJECTS, name.key, async () => {
      try {
        return (await this.#core.log.read(name, { signal }))?.decode();
      } catch (error) {
        if (!(error instanceof CorruptObjectError)) throw error;
        return undefined;
      }
    });
    const object = await read;
    if ((object?.size ?? Infinity) > MAX_KEPT_BYTES) this.#objects.delete(name.key);
    return object;
  }

  #keepForAWhile(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#core.environment.clock.setTimer(KEPT_MS, () => this.forget());
  }

  /** Ends reading. */
  close(): void {
    this.#closed.abort();
    this.forget();
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
