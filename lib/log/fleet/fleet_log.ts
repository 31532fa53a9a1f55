/**
 * The objects that tell servers of each other, beside the log.
 *
 * @module
 */
import type { FailedDelete, ObjectInfo, ObjectStore, StoreOptions } from "../../stores/store.ts";
import { type Envelope, plainEnvelope } from "../encryption/envelope.ts";
import { formatOf } from "../../stores/body_format.ts";
import type { StoreClock } from "../store_clock.ts";
import {
  checksKey,
  type DatedPresence,
  listKey,
  parsePresenceKey,
  type PresenceName,
} from "./names.ts";
import { CHECKS_PREFIX, LISTS_PREFIX, PRESENT_PREFIX } from "./names.ts";
import { decodeChecks, encodeChecks, MAX_CHECKS_LENGTH, type ServerChecks } from "./checks.ts";
import { decodeList, type EncodedList, type FeedList } from "./feed_list.ts";
import { decodePresence, encodePresence, type PresenceReport } from "./presence.ts";

/** Dependencies of {@linkcode FleetLog}. */
export interface FleetLogOptions {
  /** Encrypts objects. */
  readonly envelope: Envelope;
  /** The store's clock, updated by each listing, and by each presence that is written. */
  readonly clock: StoreClock;
  /** Called with each listed key that is not feedsync's. */
  readonly onForeign: (key: string) => void;
}

/** A presence as it is stored. */
export interface StoredPresence {
  /** What the server says. */
  readonly report: PresenceReport;
  /** Whether it is stored without encryption, although this server encrypts. */
  readonly isPlain: boolean;
}

/** The objects below `present/`, `lists/` and `checks/`. */
export class FleetLog {
  readonly #store: ObjectStore;
  readonly #options: FleetLogOptions;

  /** Creates the log in `store`. */
  constructor(store: ObjectStore, options: FleetLogOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Lists all presences, unsorted and without duplicates. */
  async listPresences(options: StoreOptions = {}): Promise<DatedPresence[]> {
    const { clock, onForeign } = this.#options;
    const names = new Map<string, DatedPresence>();
    for await (const object of this.#store.list(PRESENT_PREFIX, options)) {
      const name = parsePresenceKey(object.key);
      if (name) names.set(name.key, { ...object, ...name });
      else onForeign(object.key);
    }
    clock.note();
    return [...names.values()];
  }

  /**
   * Reads a presence; undefined when a GET does not find it, even though it may be listed.
   *
   * @throws {AccessDeniedError | CorruptObjectError | MissingKeyError | UnsupportedFormatError} see
   * `whyUnreadable()`
   */
  async readPresence(
    name: PresenceName,
    options: StoreOptions = {},
  ): Promise<StoredPresence | undefined> {
    const stored = await this.#store.get(name.key, options);
    return stored && await this.openPresence(name, stored);
  }

  /** Opens the stored bytes of a presence, which may also come from a peer. Throws as reading does. */
  async openPresence(name: PresenceName, stored: Uint8Array): Promise<StoredPresence> {
    const { envelope } = this.#options;
    const report = decodePresence(name, await envelope.decrypt(name, stored));
    return { report, isPlain: envelope !== plainEnvelope && formatOf(stored) !== "jwe" };
  }

  /** Writes a presence; resolves to its bytes as stored. */
  async writePresence(
    name: PresenceName,
    report: PresenceReport,
    options: StoreOptions = {},
  ): Promise<Uint8Array> {
    const body = await this.#options.envelope.encrypt(name, encodePresence(name, report));
    await this.#store.put(name.key, body, options);
    this.#options.clock.note();
    return body;
  }

  /** Deletes objects; resolves to those that could not be deleted. */
  delete(keys: readonly string[], options: StoreOptions = {}): Promise<FailedDelete[]> {
    return this.#store.delete(keys, options);
  }

  /** Reads the list of feeds with this digest; undefined when there is none. Throws as reading does. */
  async readList(digest: string, options: StoreOptions = {}): Promise<FeedList | undefined> {
    const key = listKey(digest);
    const stored = await this.#store.get(key, options);
    if (!stored) return undefined;
    return decodeList(digest, await this.#options.envelope.decrypt({ key }, stored));
  }

  /** Writes a list of feeds. Writing it again is harmless. */
  async writeList({ digest, body }: EncodedList, options: StoreOptions = {}): Promise<void> {
    const key = listKey(digest);
    await this.#store.put(key, await this.#options.envelope.encrypt({ key }, body), options);
  }

  /**
   * Reads what a server has checked, the newest checks first and not without end; undefined when it
   * has said nothing. Throws as reading does.
   */
  async readChecks(server: string, options: StoreOptions = {}): Promise<ServerChecks | undefined> {
    const first = await this.#readChecks(server, 0, options);
    if (!first) return undefined;
    const feeds = [...first.feeds], held = [...first.held];
    let { length } = first;
    for (let part = 1; part < first.parts && length < MAX_CHECKS_LENGTH; part++) {
      const next = await this.#readChecks(server, part, options);
      length += next?.length ?? 0;
      for (const feed of next?.feeds ?? []) feeds.push(feed);
      for (const host of next?.held ?? []) held.push(host);
    }
    return { feeds, held };
  }

  /** Writes what a server has checked, in place of what it wrote before. */
  async writeChecks(
    server: string,
    checks: ServerChecks,
    options: StoreOptions = {},
  ): Promise<void> {
    for (const { key, body } of encodeChecks(server, checks)) {
      await this.#store.put(key, await this.#options.envelope.encrypt({ key }, body), options);
    }
  }

  /** Lists all presences, lists and checks, also foreign objects beside them, for cleanup. */
  async *listAll(options: StoreOptions = {}): AsyncIterable<ObjectInfo> {
    for (const prefix of [PRESENT_PREFIX, LISTS_PREFIX, CHECKS_PREFIX]) {
      yield* this.#store.list(prefix, options);
    }
    this.#options.clock.note();
  }

  async #readChecks(server: string, part: number, options: StoreOptions) {
    const key = checksKey(server, part);
    const stored = await this.#store.get(key, options);
    if (!stored) return undefined;
    return decodeChecks(server, part, await this.#options.envelope.decrypt({ key }, stored));
  }
}
