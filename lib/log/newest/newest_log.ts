/**
 * The newest update of each feed, kept for good beside the log: what a server reads that is new, or was
 * away for longer than the retention.
 *
 * @module
 */
import { CorruptObjectError } from "../../errors.ts";
import { feedIdentity } from "../../feed_url.ts";
import { formatOf } from "../../stores/body_format.ts";
import type { ObjectStore, StoreOptions } from "../../stores/store.ts";
import { type Envelope, plainEnvelope } from "../encryption/envelope.ts";
import type { StoreClock } from "../store_clock.ts";
import { decodeNewest, encodeNewest, type NewestUpdate } from "./body.ts";
import {
  type DatedNewest,
  groupPrefix,
  NEWEST_PREFIX,
  type NewestName,
  newestName,
  parseNewestKey,
} from "./names.ts";

/** Half of SHA-256 tells feeds apart, and keeps keys short. */
const HASH_BYTES = 16;

/** What it is made with. */
export interface NewestLogOptions {
  /** Encrypts objects, and hashes URLs. */
  readonly envelope: Envelope;
  /** The store's clock, which each listing reads. */
  readonly clock: StoreClock;
  /** Called with each key that is listed and is not feedsync's. */
  readonly onForeign: (key: string) => void;
}

/** An update as it was read. */
export interface StoredNewest {
  /** What it says. */
  readonly update: NewestUpdate;
  /** Whether it is encrypted with the key that encrypts now, or not at all where nothing is. */
  readonly isCurrent: boolean;
}

/** The objects below `newest/`. Whoever writes the same update writes the same object. */
export class NewestLog {
  readonly #store: ObjectStore;
  readonly #envelope: Envelope;
  readonly #clock: StoreClock;
  readonly #onForeign: (key: string) => void;

  /** What is in `store`. */
  constructor(store: ObjectStore, { envelope, clock, onForeign }: NewestLogOptions) {
    this.#store = store;
    this.#envelope = envelope;
    this.#clock = clock;
    this.#onForeign = onForeign;
  }

  /**
   * The hash under which the updates of a feed are written. Two spellings of a URL have the same, as
   * they are one feed; without the names key nobody can tell which feed a hash stands for. It may be
   * another one whenever the keys have changed.
   */
  async hashOf(url: string): Promise<string> {
    const [hash] = await hashesBy(this.#envelope, url);
    return hash;
  }

  /**
   * All hashes under which updates of a feed may be found, the one of {@linkcode hashOf} first: under those
   * of former names keys until they are rekeyed, and where objects that are not encrypted are read as well,
   * under a hash of their own.
   */
  async hashesOf(url: string): Promise<string[]> {
    const hashes = await hashesBy(this.#envelope, url);
    const isPlain = this.#envelope === plainEnvelope;
    if (this.#envelope.readsPlain && !isPlain) hashes.push(...await hashesBy(plainEnvelope, url));
    return [...new Set(hashes)];
  }

  /** Lists everything, page after page as it is consumed, in no order. What is listed twice comes twice. */
  async *list(options: StoreOptions = {}): AsyncIterable<DatedNewest> {
    yield* this.#list(NEWEST_PREFIX, options);
    this.#clock.note();
  }

  /** Lists the group with this hash, in no order and each object once. */
  async listGroup(hash: string, options: StoreOptions = {}): Promise<DatedNewest[]> {
    const names = new Map<string, DatedNewest>();
    for await (const name of this.#list(groupPrefix(hash), options)) names.set(name.key, name);
    this.#clock.note();
    return [...names.values()];
  }

  /** Lists what there is of a feed, under all its hashes, in no order and each object once. */
  async listFeed(url: string, options: StoreOptions = {}): Promise<DatedNewest[]> {
    const hashes = await this.hashesOf(url);
    return (await Promise.all(hashes.map((hash) => this.listGroup(hash, options)))).flat();
  }

  /**
   * Reads an update; `undefined` when a GET does not find it, which proves nothing against a listing.
   *
   * @throws {AccessDeniedError | CorruptObjectError | MissingKeyError | UnsupportedFormatError} as
   * `whyUnreadable()` tells: it is returned only when it is exactly what its key says.
   */
  async read(name: NewestName, options: StoreOptions = {}): Promise<NewestUpdate | undefined> {
    return (await this.readStored(name, options))?.update;
  }

  /** {@linkcode NewestLog.read}, and whether it is encrypted as it would be now. */
  async readStored(
    name: NewestName,
    options: StoreOptions = {},
  ): Promise<StoredNewest | undefined> {
    const stored = await this.#store.get(name.key, options);
    if (!stored) return undefined;
    const update = decodeNewest(name, await this.#envelope.decrypt(name, stored));
    const hasher = formatOf(stored) === "jwe" ? this.#envelope : plainEnvelope;
    if (!(await hashesBy(hasher, update.url)).includes(name.hash)) {
      throw new CorruptObjectError(
        name.key,
        "its key is not that of its URL: it was moved, or written with another names key",
      );
    }
    return { update, isCurrent: this.#envelope.isCurrent(name, stored) };
  }

  /**
   * Writes an update; resolves to its name. Writing it again does no harm.
   *
   * @throws {CorruptObjectError} when it is larger than any that is published.
   * @throws {RangeError} when it is of a time that is not plausible at any time.
   */
  async write(update: NewestUpdate, options: StoreOptions = {}): Promise<NewestName> {
    const name = await this.nameOf(update);
    const body = await this.#envelope.encrypt(name, encodeNewest(name, update));
    await this.#store.put(name.key, body, options);
    return name;
  }

  /**
   * The name under which an update is written.
   *
   * @throws {RangeError} as {@linkcode NewestLog.write} does.
   */
  async nameOf(
    { url, time, id, removed }: Pick<NewestUpdate, "url" | "time" | "id" | "removed">,
  ): Promise<NewestName> {
    const hash = await this.hashOf(url);
    return newestName({ hash, time: Date.parse(time), id, isRemoved: removed === true });
  }

  async *#list(prefix: string, options: StoreOptions): AsyncIterable<DatedNewest> {
    for await (const object of this.#store.list(prefix, options)) {
      const name = parseNewestKey(object.key);
      if (name) yield { ...object, ...name };
      else this.#onForeign(object.key);
    }
  }
}

async function hashesBy(envelope: Envelope, url: string): Promise<[string, ...string[]]> {
  const [first, ...former] = await envelope.digests(feedIdentity(url));
  return [hashOf(first), ...former.map(hashOf)];
}

function hashOf(digest: Uint8Array): string {
  return digest.subarray(0, HASH_BYTES).toHex();
}
