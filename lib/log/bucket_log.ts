/**
 * The log in the bucket: the one object in front of store, encryption, codec and the store's clock.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Environment } from "../base/environment.ts";
import { AccessDeniedError, CorruptObjectError, isLocked, MissingObjectError } from "../errors.ts";
import type {
  FailedDelete,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
  StoreOptions,
} from "../stores/store.ts";
import { type BodyHeader, type DecodedObject, decodeObject, encodeBody } from "./codec.ts";
import { type Envelope, plainEnvelope } from "./encryption/envelope.ts";
import {
  keysBeyond,
  MARKER_KEY,
  type ObjectKind,
  type ObjectName,
  parseKey,
  serverOf,
} from "./names.ts";
import { NewestLog } from "./newest/newest_log.ts";
import type { SeqNumber } from "./positions.ts";
import { type ClockMemory, StoreClock } from "./store_clock.ts";

const logger = getLogger(["feedsync", "watch"]);

/** More foreign keys are not told apart. */
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

/** An object as it was stored, decrypted: it takes far less memory than what is in it. */
export interface PackedObject {
  /**
   * Unpacks it.
   *
   * @throws {CorruptObjectError} when it is not what its key says.
   * @throws {UnsupportedFormatError} when it takes a newer version to read it.
   */
  decode(): DecodedObject;
}

/** An object of a stream, and what the store tells of it. */
export interface DatedName extends ObjectName, ObjectInfo {}

/** Everything in the bucket that expires. */
export interface BucketListing {
  /** Commits and segments, by stream. */
  readonly streams: ReadonlyMap<string, readonly DatedName[]>;
  /** How many objects beside them are not feedsync's. */
  readonly foreign: number;
}

/** Options of {@linkcode BucketLog.listStream}. */
export interface StreamListOptions extends StoreOptions {
  /**
   * Only objects that reach beyond this seq, and not surely all of those: where a store does not list in
   * the order of keys, it leaves out others than were meant. Spares pages, and proves nothing.
   */
  readonly beyond?: SeqNumber | undefined;
}

/** Why an object cannot be read. */
export type UnreadableReason =
  /** The store refuses to hand it out. */
  | "refused"
  /** It is not what its key says. */
  | "corrupt"
  /** This server lacks the key that it is encrypted with, or is too old for its format. */
  | "locked"
  /** Listings show it, and a GET does not find it. */
  | "missing";

/** Why an object cannot be read; undefined for any other error, which says nothing of the object. */
export function whyUnreadable(error: unknown): UnreadableReason | undefined {
  if (error instanceof AccessDeniedError) return "refused";
  if (error instanceof CorruptObjectError) return "corrupt";
  if (isLocked(error)) return "locked";
  return error instanceof MissingObjectError ? "missing" : undefined;
}

/** Commits, segments and the marker of all servers, in one bucket, and what is kept of them for good. */
export class BucketLog {
  /** What is kept for good: the newest update of each feed. */
  readonly newest: NewestLog;
  readonly #store: ObjectStore;
  readonly #envelope: Envelope;
  readonly #clock: StoreClock;
  readonly #foreign = new Set<string>();
  #servers = 0;

  /** The log in `store`. */
  constructor(
    store: ObjectStore,
    { environment: { clock }, envelope = plainEnvelope, memory }: BucketLogOptions,
  ) {
    this.#store = store;
    this.#envelope = envelope;
    this.#clock = new StoreClock(store, { clock, memory });
    this.newest = new NewestLog(store, {
      envelope,
      clock: this.#clock,
      onForeign: (key) => this.#noteForeign(key),
    });
  }

  /** URL of the store. */
  get url(): string {
    return this.#store.url;
  }

  /** Which service has it, where the URL does not tell. */
  get service(): string | undefined {
    return this.#store.service;
  }

  /** Requests sent to the store so far. */
  get requests(): Readonly<RequestCounts> {
    return this.#store.requests;
  }

  /** Whether the store keeps what is deleted, as old versions. */
  get keepsVersions(): boolean {
    return this.#store.keepsVersions ?? false;
  }

  /** Another number whenever the keys have changed. */
  get keysRevision(): number {
    return this.#envelope.revision;
  }

  /** Whether the store said in its last answer that there is no bucket, and none was seen before. */
  get isMissing(): boolean {
    return this.#store.isMissing === true;
  }

  /** How many different keys that are not feedsync's {@linkcode list} has met. */
  get foreignKeys(): number {
    return this.#foreign.size;
  }

  /** Of how many servers {@linkcode list} has shown commits the last time: of those that publish. */
  get servers(): number {
    return this.#servers;
  }

  /** Milliseconds from the local clock to the store's; undefined while no answer has told it. */
  get clockOffset(): number | undefined {
    return this.#store.clockOffset;
  }

  /**
   * The store's time, in milliseconds since 1970: the one clock that all servers share. Each listing reads
   * it; in between, and before the first one, it is what any process with this state has read last.
   */
  now(): number {
    return this.#clock.now();
  }

  /** Lists `tail/`: the commits of each stream, in no order and each once. This is the poll. */
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
    this.#servers = new Set([...streams.keys()].map(serverOf)).size;
    return new Map([...streams].map(([stream, names]) => [stream, [...names.values()]]));
  }

  /** Lists the commits or segments of one stream, in no order and each once. */
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
   * Lists `tail/` and `segments/`: all that expires. The tail comes first: what is sealed meanwhile then
   * shows as a young segment, behind which nothing is deleted.
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
   * Reads an object; undefined when a GET does not find it, which proves nothing against a listing.
   *
   * @throws {AccessDeniedError | CorruptObjectError | MissingKeyError} as {@linkcode whyUnreadable} tells.
   */
  async read(name: ObjectName, options: StoreOptions = {}): Promise<PackedObject | undefined> {
    const stored = await this.#store.get(name.key, options);
    return stored && await this.open(name, stored);
  }

  /**
   * Takes the bytes of an object, wherever they come from: a peer sends them as they are stored.
   *
   * @throws {CorruptObjectError | MissingKeyError} when they cannot be decrypted.
   */
  async open(name: ObjectName, stored: Uint8Array): Promise<PackedObject> {
    const body = await this.#envelope.decrypt(name, stored);
    return { decode: () => decodeObject(name, body) };
  }

  /** Writes an object of these lines; resolves to its bytes as they are stored. */
  async write(
    name: ObjectName,
    lines: readonly string[],
    { signal, ...header }: Omit<BodyHeader, "time"> & StoreOptions = {},
  ): Promise<Uint8Array> {
    const time = new Date(this.now()).toISOString();
    const body = await this.#envelope.encrypt(name, encodeBody(name, lines, { ...header, time }));
    await this.#store.put(name.key, body, { signal });
    return body;
  }

  /** Deletes objects; resolves to those that could not be deleted. */
  delete(keys: readonly string[], options: StoreOptions = {}): Promise<FailedDelete[]> {
    return this.#store.delete(keys, options);
  }

  /** What the marker says; undefined when there is none, or when it cannot be one. */
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

  /** Calls `changed` soon after a commit was stored, where the store can tell. A hint, as in the store. */
  watch(changed: () => void): AsyncDisposable | undefined {
    return this.#store.watch?.("tail/", changed);
  }

  #noteForeign(key: string): void {
    if (this.#foreign.size === 0) {
      logger.warn("{key} in {store} is not an object of feedsync; it and others are ignored", {
        key,
        store: this.url,
      });
    }
    if (this.#foreign.size < MAX_FOREIGN_KEYS) this.#foreign.add(key);
  }
}
