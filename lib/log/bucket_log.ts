/**
 * The log in the bucket: combines store, encryption, codec and the store's clock.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Environment } from "../base/environment.ts";
import { CorruptObjectError } from "../errors.ts";
import type {
  FailedDelete,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
  StoreOptions,
} from "../stores/store.ts";
import { type BodyHeader, type DecodedObject, decodeObject, encodeBody } from "./codec.ts";
import { type Envelope, plainEnvelope } from "./encryption/envelope.ts";
import { type EncryptionSample, sampleEncryption } from "./encryption/sample.ts";
import {
  keysBeyond,
  MARKER_KEY,
  type ObjectKind,
  type ObjectName,
  parseKey,
  serverOf,
} from "./names.ts";
import { FleetLog } from "./fleet/fleet_log.ts";
import { NewestLog } from "./newest/newest_log.ts";
import { ObjectLog } from "./objects/object_log.ts";
import type { SeqNumber } from "./positions.ts";
import { type ClockMemory, StoreClock } from "./store_clock.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Maximum number of distinct foreign keys that are counted. */
const MAX_FOREIGN_KEYS = 1000;

/** What a log is made with. */
export interface BucketLogOptions {
  /** The local clock. */
  readonly environment: Environment;
  /** Encrypts objects. @default without encryption */
  readonly envelope?: Envelope | undefined;
  /** Remembers the store's clock. @default until the process ends */
  readonly memory?: ClockMemory | undefined;
}

/** A decrypted object, still compressed: that takes far less memory than the decoded updates. */
export interface PackedObject {
  /**
   * Decompresses and decodes the object.
   *
   * @throws {CorruptObjectError} when it does not match its key.
   * @throws {UnsupportedFormatError} when only a newer version can read it.
   */
  decode(): DecodedObject;
}

/** An object of a stream, with its size and age as the store reports them. */
export interface DatedName extends ObjectName, ObjectInfo {}

/** The objects in the bucket that expire. */
export interface BucketListing {
  /** Commits and segments, by stream. */
  readonly streams: ReadonlyMap<string, readonly DatedName[]>;
  /** Number of objects that are not feedsync's. */
  readonly foreign: number;
}

/** Options of {@linkcode BucketLog.listStream}. */
export interface StreamListOptions extends StoreOptions {
  /**
   * Returns only objects that reach beyond this seq, but perhaps not all of them: a store that does
   * not sort keys may leave out some. This saves pages, but an absence proves nothing.
   */
  readonly beyond?: SeqNumber | undefined;
}

/** The commits, segments, marker and newest updates of all servers, in one bucket. */
export class BucketLog {
  /** The newest update of each feed, kept permanently. */
  readonly newest: NewestLog;
  /** What servers tell of themselves. */
  readonly fleet: FleetLog;
  /** All objects, whatever they are, for a person who looks into the bucket. */
  readonly objects: ObjectLog;
  readonly #store: ObjectStore;
  readonly #envelope: Envelope;
  readonly #clock: StoreClock;
  readonly #foreign = new Set<string>();
  #servers: ReadonlySet<string> = new Set();

  /** Creates the log in `store`. */
  constructor(
    store: ObjectStore,
    { environment: { clock }, envelope = plainEnvelope, memory }: BucketLogOptions,
  ) {
    this.#store = store;
    this.#envelope = envelope;
    this.#clock = new StoreClock(store, { clock, memory });
    const onForeign = (key: string) => this.#noteForeign(key);
    this.newest = new NewestLog(store, { envelope, clock: this.#clock, onForeign });
    this.fleet = new FleetLog(store, { envelope, clock: this.#clock, onForeign });
    this.objects = new ObjectLog(store, { envelope, newest: this.newest, clock });
  }

  /** URL of the store. */
  get url(): string {
    return this.#store.url;
  }

  /** The service that has the store, if the URL does not identify it. */
  get service(): string | undefined {
    return this.#store.service;
  }

  /** Requests sent to the store so far. */
  get requests(): Readonly<RequestCounts> {
    return this.#store.requests;
  }

  /** Whether the store keeps deleted objects as old versions. */
  get keepsVersions(): boolean {
    return this.#store.keepsVersions ?? false;
  }

  /** Whether listings show at once what was written. */
  get listsAtOnce(): boolean {
    return this.#store.listsAtOnce ?? false;
  }

  /** Changes whenever the keys change. */
  get keysRevision(): number {
    return this.#envelope.revision;
  }

  /** Whether objects are encrypted. */
  get encrypts(): boolean {
    return this.#envelope !== plainEnvelope;
  }

  /** Whether unencrypted objects are read. */
  get readsPlain(): boolean {
    return this.#envelope.readsPlain;
  }

  /** Number of distinct foreign keys that {@linkcode list} has found. */
  get foreignKeys(): number {
    return this.#foreign.size;
  }

  /** Names of the servers with commits in the last {@linkcode list}. */
  get servers(): ReadonlySet<string> {
    return this.#servers;
  }

  /** Milliseconds from the local clock to the store's; undefined while no answer has told it. */
  get clockOffset(): number | undefined {
    return this.#store.clockOffset;
  }

  /**
   * The store's time, in milliseconds since 1970: the one clock that all servers share. Each
   * listing updates it; the state keeps it across restarts and processes.
   */
  now(): number {
    return this.#clock.now();
  }

  /** Makes the bucket or directory, unless it is there; resolves to whether it did. */
  async createStore(options: StoreOptions = {}): Promise<boolean> {
    return await this.#store.create?.(options) ?? false;
  }

  /** Lists `tail/`, as a poll does: the commits of each stream, unsorted, without duplicates. */
  async list(options: StoreOptions = {}): Promise<Map<string, ObjectName[]>> {
    const streams = new Map<string, Map<string, ObjectName>>();
    for await (const { key } of this.#store.list("tail/", options)) {
      const name = parseKey(key);
      if (!name) this.#noteForeign(key);
      if (name?.kind !== "tail") continue;
      const names = streams.get(name.stream);
      if (names) names.set(key, name);
      else streams.set(name.stream, new Map([[key, name]]));
    }
    this.#clock.note();
    this.#servers = new Set([...streams.keys()].map(serverOf));
    return new Map([...streams].map(([stream, names]) => [stream, [...names.values()]]));
  }

  /** Lists the commits or segments of one stream, unsorted and without duplicates. */
  async listStream(
    kind: ObjectKind,
    stream: string,
    { beyond, signal }: StreamListOptions = {},
  ): Promise<ObjectName[]> {
    const names = new Map<string, ObjectName>();
    const startAfter = beyond === undefined ? undefined : keysBeyond(kind, stream, beyond);
    for await (const { key } of this.#store.list(`${kind}/${stream}/`, { startAfter, signal })) {
      const name = parseKey(key);
      if (name?.kind !== kind || name.stream !== stream || name.last <= (beyond ?? 0)) continue;
      names.set(key, name);
    }
    this.#clock.note();
    return [...names.values()];
  }

  /**
   * Lists `tail/`, then `segments/`: commits that are sealed meanwhile then appear in a young
   * segment, after which nothing is deleted.
   */
  async listAll(options: StoreOptions = {}): Promise<BucketListing> {
    const listed = new Map<string, ObjectInfo>();
    for (const prefix of ["tail/", "segments/"]) {
      for await (const object of this.#store.list(prefix, options)) listed.set(object.key, object);
    }
    this.#clock.note();
    const streams = new Map<string, DatedName[]>();
    let foreign = 0;
    for (const object of listed.values()) {
      const name = parseKey(object.key);
      if (!name) {
        foreign++;
        continue;
      }
      const names = streams.get(name.stream);
      if (names) names.push({ ...object, ...name });
      else streams.set(name.stream, [{ ...object, ...name }]);
    }
    return { streams, foreign };
  }

  /**
   * Reads an object; undefined when a GET does not find it, even though it may be listed.
   *
   * @throws {AccessDeniedError | CorruptObjectError | MissingKeyError} see
   * `whyUnreadable()`
   */
  async read(name: ObjectName, options: StoreOptions = {}): Promise<PackedObject | undefined> {
    const stored = await this.#store.get(name.key, options);
    return stored && await this.open(name, stored);
  }

  /**
   * Opens the stored bytes of an object, which may also come from a peer.
   *
   * @throws {CorruptObjectError | MissingKeyError} when they cannot be decrypted.
   */
  async open(name: ObjectName, stored: Uint8Array): Promise<PackedObject> {
    const body = await this.#envelope.decrypt(name, stored);
    return { decode: () => decodeObject(name, body) };
  }

  /** Encodes an object with these lines; it is written by {@linkcode write}. */
  pack(
    name: ObjectName,
    lines: readonly string[],
    header: Omit<BodyHeader, "time"> = {},
  ): Uint8Array {
    return encodeBody(name, lines, { ...header, time: new Date(this.now()).toISOString() });
  }

  /** Writes an object; resolves to its bytes as stored. */
  async write(
    name: ObjectName,
    packed: Uint8Array,
    { signal }: StoreOptions = {},
  ): Promise<Uint8Array> {
    const body = await this.#envelope.encrypt(name, packed);
    await this.#store.put(name.key, body, { signal });
    return body;
  }

  /** Deletes objects; resolves to those that could not be deleted. */
  delete(keys: readonly string[], options: StoreOptions = {}): Promise<FailedDelete[]> {
    return this.#store.delete(keys, options);
  }

  /** See {@linkcode sampleEncryption}. */
  sampleEncryption(options: StoreOptions = {}): Promise<EncryptionSample | undefined> {
    return sampleEncryption(this.#store, options);
  }

  /** Reads the marker; undefined when it does not exist or is not valid. */
  async readMarker(options: StoreOptions = {}): Promise<string | undefined> {
    try {
      const bytes = await this.#store.get(MARKER_KEY, options);
      return bytes && new TextDecoder().decode(bytes);
    } catch (error) {
      if (error instanceof CorruptObjectError) return undefined;
      throw error;
    }
  }

  /** Overwrites the marker. */
  async writeMarker(text: string, options: StoreOptions = {}): Promise<void> {
    await this.#store.put(MARKER_KEY, new TextEncoder().encode(text), options);
  }

  /**
   * Calls `changed` soon after a commit was stored, as a hint: see {@linkcode ObjectStore.watch}.
   */
  watch(changed: () => void): AsyncDisposable | undefined {
    return this.#store.watch?.("tail/", changed);
  }

  #noteForeign(key: string): void {
    if (this.#foreign.size === 0) {
      const text = "Ignoring {key} in {store} and other objects that are not feedsync's";
      logger.warn(text, { key, store: this.url });
    }
    if (this.#foreign.size < MAX_FOREIGN_KEYS) this.#foreign.add(key);
  }
}
