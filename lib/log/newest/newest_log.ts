/**
 * The newest update of each feed, kept permanently beside the log: for servers that are new, or
 * were away for longer than the retention.
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

/** Number of URLs to hash together where there are many: ten times as fast as one by one. */
export const HASH_BATCH = 1000;

/** Length of a hash: half of SHA-256 identifies feeds and keeps keys short. */
const HASH_BYTES = 16;

/** Dependencies of {@linkcode NewestLog}. */
export interface NewestLogOptions {
  /** Encrypts objects, and hashes URLs. */
  readonly envelope: Envelope;
  /** The store's clock, updated by each listing. */
  readonly clock: StoreClock;
  /** Called with each listed key that is not feedsync's. */
  readonly onForeign: (key: string) => void;
}

/** An update, and how it is stored. */
export interface StoredNewest {
  /** The update. */
  readonly update: NewestUpdate;
  /** Whether it is encrypted with the current key, or needs no encryption. */
  readonly isCurrent: boolean;
}

/** The objects below `newest/`. The same update always has the same key and content. */
export class NewestLog {
  readonly #store: ObjectStore;
  readonly #envelope: Envelope;
  readonly #clock: StoreClock;
  readonly #onForeign: (key: string) => void;

  /** Creates the log in `store`. */
  constructor(store: ObjectStore, { envelope, clock, onForeign }: NewestLogOptions) {
    this.#store = store;
    this.#envelope = envelope;
    this.#clock = clock;
    this.#onForeign = onForeign;
  }

  /**
   * The hash under which the updates of a feed are written. All spellings of a URL have the same
   * hash. The hash does not reveal the URL without the names key, and changes with that key.
   */
  async hashOf(url: string): Promise<string> {
    const [hash] = await hashesBy(this.#envelope, url);
    return hash;
  }

  /**
   * All hashes under which updates of a feed may be stored, beginning with {@linkcode hashOf}: also
   * those of former names keys, and the plain hash if unencrypted objects are accepted.
   */
  async hashesOf(url: string): Promise<string[]> {
    const hashes = await hashesBy(this.#envelope, url);
    const isPlain = this.#envelope === plainEnvelope;
    if (this.#envelope.readsPlain && !isPlain) hashes.push(...await hashesBy(plainEnvelope, url));
    return [...new Set(hashes)];
  }

  /** Lists everything, page by page as it is consumed, unsorted, perhaps with duplicates. */
  async *list(options: StoreOptions = {}): AsyncIterable<DatedNewest> {
    yield* this.#list(NEWEST_PREFIX, options);
    this.#clock.note();
  }

  /** Lists the group with this hash, unsorted and without duplicates. */
  async listGroup(hash: string, options: StoreOptions = {}): Promise<DatedNewest[]> {
    const names = new Map<string, DatedNewest>();
    for await (const name of this.#list(groupPrefix(hash), options)) names.set(name.key, name);
    this.#clock.note();
    return [...names.values()];
  }

  /** Lists the objects of a feed under all its hashes, unsorted and without duplicates. */
  async listFeed(url: string, options: StoreOptions = {}): Promise<DatedNewest[]> {
    const hashes = await this.hashesOf(url);
    return (await Promise.all(hashes.map((hash) => this.listGroup(hash, options)))).flat();
  }

  /**
   * Reads an update, which must match its key exactly; `undefined` when a GET does not find it,
   * even though it may be listed.
   *
   * @throws {AccessDeniedError | CorruptObjectError | MissingKeyError | UnsupportedFormatError} see
   * `whyUnreadable()`
   */
  async read(name: NewestName, options: StoreOptions = {}): Promise<NewestUpdate | undefined> {
    return (await this.readStored(name, options))?.update;
  }

  /** {@linkcode NewestLog.read}, and whether the object is encrypted with the current key. */
  async readStored(
    name: NewestName,
    options: StoreOptions = {},
  ): Promise<StoredNewest | undefined> {
    const stored = await this.#store.get(name.key, options);
    return stored && await this.open(name, stored);
  }

  /** Opens the stored bytes of an update. Throws as reading does. */
  async open(name: NewestName, stored: Uint8Array): Promise<StoredNewest> {
    const update = decodeNewest(name, await this.#envelope.decrypt(name, stored));
    const hasher = formatOf(stored) === "jwe" ? this.#envelope : plainEnvelope;
    if (!(await hashesBy(hasher, update.url)).includes(name.hash)) {
      throw new CorruptObjectError(
        name.key,
        "its key does not match its URL: it was moved, or written with another names key",
      );
    }
    return { update, isCurrent: this.#envelope.isCurrent(name, stored) };
  }

  /**
   * Writes an update; resolves to its name. Writing it again is harmless.
   *
   * @throws {CorruptObjectError} when it exceeds the size limit of updates.
   * @throws {RangeError} when its time is before 1970.
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
