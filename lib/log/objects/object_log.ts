/**
 * All objects in the bucket, for a person who looks into it: what each of them is, whether it can
 * be read, and what is in it.
 *
 * @module
 */
import { type Clock, sleep } from "../../base/environment.ts";
import { MissingObjectError, StoreUnavailableError } from "../../errors.ts";
import { formatOf } from "../../stores/body_format.ts";
import {
  MAX_LISTING_LAG_MS,
  type ObjectInfo,
  type ObjectStore,
  type StoreOptions,
} from "../../stores/store.ts";
import type { JsonObject } from "../../update.ts";
import { decodeObject, readHeader, type StoredUpdate } from "../codec.ts";
import { claimedKid, type Envelope } from "../encryption/envelope.ts";
import { decodeChecks } from "../fleet/checks.ts";
import { decodeList } from "../fleet/feed_list.ts";
import { decodePresence, type PresenceReport } from "../fleet/presence.ts";
import type { NewestLog } from "../newest/newest_log.ts";
import { type UnreadableReason, whyUnreadable } from "../why_unreadable.ts";
import { type KeyMeaning, meaningOf } from "./key_meaning.ts";

/** An object in a listing, and what it is. */
export interface ListedObject extends ObjectInfo {
  /** What its key says. */
  readonly meaning: KeyMeaning;
}

/** What an object holds, by its kind. */
export type ObjectContent =
  | { readonly updates: readonly StoredUpdate[] }
  | { readonly report: PresenceReport }
  /** Number of feeds in a list, or among what was checked. */
  | { readonly feeds: number };

/** What is known of an object that was looked at. */
export interface InspectedObject extends ListedObject {
  /** Id of the key that it says it is encrypted with; absent when it is not encrypted. */
  readonly kid?: string;
  /** Its first line; absent when the object cannot be opened so far. */
  readonly header?: JsonObject;
  /** What it holds; absent when it cannot be read, or nobody reads such objects. */
  readonly content?: ObjectContent;
  /** Why it cannot be read. */
  readonly unreadable?: { readonly reason: UnreadableReason; readonly error: Error };
}

/** What looking at an object has shown so far. */
type Findings = { -readonly [K in "kid" | "header" | "content"]?: InspectedObject[K] };

/** Dependencies of {@linkcode ObjectLog}. */
export interface ObjectLogOptions {
  /** Decrypts objects. */
  readonly envelope: Envelope;
  /** Opens the objects below `newest/`. */
  readonly newest: NewestLog;
  /** The local clock. */
  readonly clock: Clock;
}

/** All objects below the store's prefix, also those that are not feedsync's. */
export class ObjectLog {
  readonly #store: ObjectStore;
  readonly #options: ObjectLogOptions;

  /** Creates the log in `store`. */
  constructor(store: ObjectStore, options: ObjectLogOptions) {
    this.#store = store;
    this.#options = options;
  }

  /**
   * Lists the objects whose keys start with `prefix`, page by page as they are consumed, unsorted,
   * perhaps with duplicates.
   *
   * @throws {TypeError} when the prefix leads out of the store.
   */
  async *list(prefix: string, options: StoreOptions = {}): AsyncIterable<ListedObject> {
    for await (const object of this.#store.list(prefix, options)) {
      yield { ...object, meaning: meaningOf(object.key) };
    }
  }

  /**
   * Looks at the object at `key`; undefined when there is none. Reads it, unless it is one that
   * nobody reads: the marker, the probe, and foreign ones.
   *
   * @throws {TypeError} when the store cannot have such a key.
   */
  async inspect(key: string, options: StoreOptions = {}): Promise<InspectedObject | undefined> {
    const listed = await this.#find(key, options), meaning = meaningOf(key);
    if (isNeverRead(meaning)) return listed;
    const unlisted = { key, meaning, size: 0, lastModified: undefined };
    const object = await this.#look(listed ?? unlisted, options);
    // What is damaged may be so only since it was transferred.
    const again = object.unreadable?.reason === "corrupt"
      ? await this.#look(object, options)
      : object;
    return listed || again.unreadable?.reason !== "missing" ? again : undefined;
  }

  /**
   * Deletes the object at `key`, and makes sure that it is gone.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when it is not.
   */
  async delete(key: string, options: StoreOptions = {}): Promise<void> {
    const [failed] = await this.#store.delete([key], options);
    if (failed) throw failed.error;
    if (!await this.#find(key, options)) return;
    await sleep(this.#options.clock, MAX_LISTING_LAG_MS, options.signal);
    if (!await this.#find(key, options)) return;
    throw new StoreUnavailableError(
      `Cannot tell whether ${key} is deleted: ${this.#store.url} says so, but its listings still ` +
        "show it; they lag, or a server has written it again",
    );
  }

  async #find(key: string, options: StoreOptions): Promise<ListedObject | undefined> {
    for await (const object of this.list(key, options)) if (object.key === key) return object;
  }

  async #look(
    { key, meaning, size, lastModified }: ListedObject,
    options: StoreOptions,
  ): Promise<InspectedObject> {
    const found: Findings = {};
    const object = { key, meaning, size, lastModified };
    try {
      await this.#read(object, found, options);
      return { ...object, ...found };
    } catch (error) {
      options.signal?.throwIfAborted();
      const reason = whyUnreadable(error);
      if (reason === undefined) throw error;
      return { ...object, ...found, unreadable: { reason, error: error as Error } };
    }
  }

  /** Reads an object, and notes in `found` how far it gets. */
  async #read({ key, meaning }: ListedObject, found: Findings, options: StoreOptions) {
    const { envelope } = this.#options;
    const stored = await this.#store.get(key, options);
    if (!stored) throw new MissingObjectError(key);
    if (formatOf(stored) === "jwe") found.kid = claimedKid({ key }, stored);
    const body = await envelope.decrypt({ key }, stored);
    found.header = readHeader(key, body);
    found.content = await this.#decode(meaning, { stored, body });
  }

  async #decode(
    meaning: KeyMeaning,
    { stored, body }: { readonly stored: Uint8Array; readonly body: Uint8Array },
  ): Promise<ObjectContent | undefined> {
    switch (meaning.kind) {
      case "commit":
      case "segment":
        return { updates: decodeObject(meaning.name, body).updates };
      case "newest":
      case "tombstone":
        return { updates: [(await this.#options.newest.open(meaning.name, stored)).update] };
      case "presence":
        return { report: decodePresence(meaning.name, body) };
      case "list":
        return { feeds: decodeList(meaning.digest, body).feeds.length };
      case "checks":
        return { feeds: decodeChecks(meaning.server, meaning.part, body).feeds.length };
    }
  }
}

function isNeverRead({ kind }: KeyMeaning): boolean {
  return kind === "marker" || kind === "probe" || kind === "foreign";
}
