/**
 * The state of one server: everything that must survive a crash, in one SQLite database.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import type { Random } from "../base/environment.ts";
import { Cursors } from "./cursors.ts";
import { Database } from "./database.ts";
import { type Row, type Seq, seqOf } from "../log/positions.ts";
import { DeadLetters } from "./dead_letters.ts";
import { SeenFiles } from "./files.ts";
import { Forgetting } from "./forgetting.ts";
import { FormerStreams } from "./former_streams.ts";
import { Newest } from "./newest.ts";
import { Outbox } from "./outbox.ts";
import { OwnStream } from "./own_stream.ts";
import { isSameDirectory, serviceName } from "../stores/store_identity.ts";

/** Whose state it is. */
export interface Owner {
  /** Name of the server. */
  readonly server: string;
  /** URL of the store. */
  readonly store: string;
  /** Which service has it, as {@linkcode serviceName} tells; absent where the URL says it all. */
  readonly service?: string;
  /** What store or service was called before, if the state may belong to that. */
  readonly movedFrom?: string;
}

/** A `Date` header tells no smaller differences, in milliseconds. */
const CLOCK_TOLERANCE_MS = 1000;

/** Small facts that are kept beside the tables. */
type Fact =
  | "server"
  | "store"
  | "service"
  | "entered"
  | "lastPoll"
  | "restored"
  | "unreadableSince"
  | "clockOffset"
  | "plugins"
  | "held"
  | "uploadError";

/** One server's state. */
export class State implements Disposable {
  /** Path of the file, or `:memory:`. */
  readonly path: string;
  /** It was made just now. */
  readonly isNew: boolean;
  /** Whether everything ends with the process. */
  readonly isInMemory: boolean;
  /** Accepted updates. */
  readonly outbox: Outbox;
  /** The own stream. */
  readonly ownStream: OwnStream;
  /** The own streams before that. */
  readonly former: FormerStreams;
  /** How far each stream is read. */
  readonly cursors: Cursors;
  /** Newest update of each URL. */
  readonly newest: Newest;
  /** Updates that could not be applied. */
  readonly deadLetters: DeadLetters;
  /** What was seen in feed files. */
  readonly files: SeenFiles;
  /** What of all that can be forgotten. */
  readonly forgetting: Forgetting;
  readonly #db: Database;
  readonly #getFact;
  readonly #setFact;
  readonly #dataVersion;

  /**
   * Opens the state at `path`, or makes a new one.
   *
   * @throws {StateError} when it cannot be used, or belongs to another server or store.
   */
  constructor(path: string, owner: Owner, random: Random) {
    this.path = path;
    this.isInMemory = path === ":memory:";
    const db = this.#db = new Database(path);
    this.#getFact = db.prepare("SELECT value FROM meta WHERE key = ?");
    this.#setFact = db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
    this.#dataVersion = db.prepare("PRAGMA data_version");
    this.outbox = new Outbox(db);
    this.ownStream = new OwnStream(db);
    this.former = new FormerStreams(db);
    this.cursors = new Cursors(db);
    this.newest = new Newest(db);
    this.deadLetters = new DeadLetters(db);
    this.files = new SeenFiles(db);
    this.forgetting = new Forgetting(db, this);
    try {
      this.isNew = this.transaction(() => this.#claim(owner, random));
      db.beginLog();
    } catch (error) {
      db[Symbol.dispose]();
      throw error;
    }
  }

  /** See {@linkcode Database.transaction}. */
  transaction<T>(work: () => T, options?: { durable?: boolean }): T {
    return this.#db.transaction(work, options);
  }

  /** See {@linkcode Database.sync}. */
  sync(): Promise<void> {
    return this.#db.sync();
  }

  /** See {@linkcode Database.checkpoint}. */
  checkpoint(): void {
    this.#db.checkpoint();
  }

  /** Reads a fact. */
  fact(name: Fact): string | number | undefined {
    return this.#getFact.get(name)?.value as string | number | undefined;
  }

  /** Writes a fact. */
  setFact(name: Fact, value: string | number): void {
    this.#setFact.run(name, value);
  }

  /**
   * Whether all that a first listing showed has been read once; before that, a URL of which nothing is
   * known is not new. What cannot be read is waited for until it was given up `heldAfter` that time, by the
   * store's clock.
   */
  isRestored({ from, heldAfter }: { from: "earliest" | "now"; heldAfter: number }): boolean {
    if (this.fact("restored") !== undefined) return true;
    // Whoever begins at the end has read nothing of what was there.
    if (from === "now" || this.fact("lastPoll") === undefined) return false;
    if (this.cursors.hasUnread(this.ownStream.load().stream, heldAfter)) return false;
    this.setFact("restored", 1);
    return true;
  }

  /** Names of the plugins that the last watcher had; undefined before the first one. */
  watchedPlugins(): readonly string[] | undefined {
    const names = this.fact("plugins");
    return names === undefined ? undefined : JSON.parse(String(names));
  }

  /** Remembers the plugins of a watcher. */
  noteWatchedPlugins(names: readonly string[]): void {
    const text = JSON.stringify(names);
    if (this.fact("plugins") !== text) this.setFact("plugins", text);
  }

  /** When the update with this id began to hold up reading since a plugin cannot apply it, if it does. */
  heldSince(plugin: string, id: string): number | undefined {
    const held = this.#held()[plugin];
    return held?.id === id ? held.since : undefined;
  }

  /** Remembers that, of one update a plugin. */
  noteHeld(plugin: string, id: string, since: number): void {
    const held = { ...this.#held(), [plugin]: { id, since } };
    this.setFact("held", JSON.stringify(held));
  }

  #held(): Readonly<Record<string, { readonly id: string; readonly since: number }>> {
    return JSON.parse(String(this.fact("held") ?? "{}"));
  }

  /** Whether it is known that something was in the store. */
  knowsObjects(): boolean {
    return this.ownStream.load().uploadedRow > 0 || this.cursors.knowsAny();
  }

  /** Changes whenever another process has written to the state. */
  dataVersion(): number {
    return Number(this.#dataVersion.get()!.data_version);
  }

  /** How many updates wait for their upload. */
  queued(): number {
    return this.outbox.lastRow() - this.ownStream.load().uploadedRow;
  }

  /** Where a row that is uploaded is: streams begin one where the other was given up. */
  placeOf(row: Row): { stream: string; seq: Seq } {
    const current = this.ownStream.load();
    const { stream, base } = row > current.base ? current : this.former.holding(row) ?? current;
    return { stream, seq: seqOf(row, base) };
  }

  /** Milliseconds to add to the local clock to get the store's, as last seen by any run. */
  get clockOffset(): number {
    return Number(this.fact("clockOffset") ?? 0);
  }

  /**
   * Remembers how far the store's clock is from the local one. What was accepted before the store
   * was heard for the first time bears the time of an uncorrected clock and was seen by nobody yet:
   * it is corrected now, once, before its first upload.
   */
  noteClockOffset(offset: number | undefined): void {
    const known = this.fact("clockOffset") as number | undefined;
    if (offset === undefined) return;
    if (known !== undefined && Math.abs(offset - known) < CLOCK_TOLERANCE_MS) return;
    this.transaction(() => {
      if (known === undefined && offset !== 0) {
        this.outbox.shiftTimes(offset);
        this.newest.shiftTimes(offset);
      }
      this.setFact("clockOffset", offset);
    });
  }

  /** Closes the database. */
  [Symbol.dispose](): void {
    this.#db[Symbol.dispose]();
  }

  /** Makes the state the owner's; true when it was nobody's. */
  #claim(owner: Owner, random: Random): boolean {
    const isNew = this.fact("server") === undefined;
    if (isNew) this.setFact("server", owner.server);
    this.#checkServer(owner);
    this.#checkStore(owner);
    if (this.#db.prepare("SELECT 1 FROM publisher").get() === undefined) {
      this.ownStream.begin(`${owner.server}_${random.token()}`, { base: this.outbox.lastRow() });
    }
    return isNew;
  }

  #checkServer({ server }: Owner): void {
    const known = this.fact("server");
    if (known === server) return;
    throw new StateError(
      `Cannot use the state ${this.path} for the server ${server}: it belongs to ${known}; ` +
        "choose another file, or remove this one if its queued updates are no longer wanted",
    );
  }

  /** What is in one store says nothing about another, even if their buckets have the same name. */
  #checkStore({ store, service, movedFrom }: Owner): void {
    const knownStore = String(this.fact("store") ?? store);
    const knownService = String(this.fact("service") ?? service);
    const isMoved = knownStore !== store && movedFrom === knownStore;
    if (knownStore !== store && !isMoved && !isSameDirectory(knownStore, store)) {
      throw this.#belongsTo(knownStore, `for the store ${store}`);
    }
    if (this.fact("store") !== store) this.setFact("store", store);
    if (service === undefined || this.fact("service") === service) return;
    // A wrong endpoint that never answered is mended without more ado.
    const isKnown = knownService === service || isMoved || !this.#hasReachedStore();
    if (!isKnown && (movedFrom === undefined || serviceName(movedFrom) !== knownService)) {
      throw this.#belongsTo(knownService, `for ${store} at ${service}`);
    }
    this.setFact("service", service);
  }

  #hasReachedStore(): boolean {
    return this.fact("lastPoll") !== undefined || this.fact("clockOffset") !== undefined;
  }

  #belongsTo(known: string, use: string): StateError {
    return new StateError(
      `Cannot use the state ${this.path} ${use}: it belongs to ${known}; choose another file, or, ` +
        `when everything that was there is here now, set 'movedFrom' to "${known}"`,
    );
  }
}
