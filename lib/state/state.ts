/**
 * The state of one server: everything that must survive a crash, in one SQLite database.
 *
 * @module
 */
import type { Random } from "../base/environment.ts";
import { Arrivals } from "./arrivals.ts";
import { ConsumerRows } from "./consumers.ts";
import { Cursors } from "./cursors.ts";
import { Database } from "./database.ts";
import { plus, type Row, type Seq, seqOf } from "../log/positions.ts";
import { DeadLetters } from "./dead_letters.ts";
import { SeenFiles } from "./files.ts";
import { Fleet } from "./fleet.ts";
import { Forgetting } from "./forgetting.ts";
import { FormerStreams } from "./former_streams.ts";
import { Inbox } from "./inbox.ts";
import { InboxUpkeep } from "./inbox_upkeep.ts";
import { Newest } from "./newest.ts";
import { Outbox } from "./outbox.ts";
import { Publications } from "./publications.ts";
import { checkOwner, hasUploaded, type KnownOwner, movedTo, type Owner } from "./owner.ts";
import { OwnStream, type StreamState } from "./own_stream.ts";
import { Restoring } from "./restoring.ts";
import { Turns } from "./turns.ts";
import { Walks } from "./walks.ts";

/** A `Date` header shows no smaller differences. */
const CLOCK_TOLERANCE_MS = 1000;

/** Single values that are stored beside the tables. */
type Fact =
  | "server"
  | "store"
  | "service"
  | "entered"
  | "enteredAt"
  | "listedAt"
  | "lastPoll"
  | "completeAt"
  | "lastPublished"
  | "restored"
  | "unreadableSince"
  | "clockOffset"
  | "publishes"
  | "plugins"
  | "held"
  | "uploadError";

/** The state of one server. */
export class State implements Disposable {
  /** Path of the file, or `:memory:`. */
  readonly path: string;
  /** Whether it was created just now. */
  readonly isNew: boolean;
  /** Whether it ends with the process. */
  readonly isInMemory: boolean;
  readonly outbox: Outbox;
  readonly ownStream: OwnStream;
  readonly former: FormerStreams;
  readonly cursors: Cursors;
  readonly newest: Newest;
  readonly deadLetters: DeadLetters;
  readonly files: SeenFiles;
  readonly forgetting: Forgetting;
  readonly restoring: Restoring;
  readonly fleet: Fleet;
  readonly turns: Turns;
  readonly inbox: Inbox;
  readonly inboxUpkeep: InboxUpkeep;
  readonly consumers: ConsumerRows;
  readonly walks: Walks;
  readonly publications: Publications;
  readonly arrivals: Arrivals = new Arrivals();
  readonly #db: Database;
  readonly #getFact;
  readonly #setFact;
  readonly #dataVersion;

  /**
   * Opens the state at `path`, or creates it; with `isExclusive`, for nobody else until it is closed.
   *
   * @throws {StateError} when it cannot be used, or belongs to another server or store.
   */
  constructor(
    path: string,
    owner: Owner,
    random: Random,
    { isExclusive = false }: { readonly isExclusive?: boolean } = {},
  ) {
    this.path = path;
    this.isInMemory = path === ":memory:";
    const db = this.#db = new Database(path, { isExclusive });
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
    this.restoring = new Restoring(db);
    this.fleet = new Fleet(db);
    this.turns = new Turns(db);
    this.inbox = new Inbox(db, random);
    this.inboxUpkeep = new InboxUpkeep(db);
    this.consumers = new ConsumerRows(db);
    this.walks = new Walks(db);
    this.publications = new Publications(db);
    try {
      this.isNew = this.transaction(() => this.#claim(owner, random));
      if (!isExclusive) db.beginLog();
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
   * Whether everything that was in the bucket at the first poll has been read, in the log and in
   * `newest/`. Before that, an unknown URL need not be new. Unreadable objects do not count if they
   * have been waited for since before `heldAfter`, by the store's clock.
   */
  isRestored({ from, heldAfter }: { from: "earliest" | "now"; heldAfter: number }): boolean {
    if (this.fact("restored") !== undefined) return true;
    // From "now", nothing of what was there has been read.
    if (from === "now" || this.fact("lastPoll") === undefined) return false;
    if (this.cursors.hasUnread(this.ownStream.load().stream, heldAfter)) return false;
    if (this.restoring.isDue()) return false;
    this.setFact("restored", 1);
    return true;
  }

  /** Names of the last watcher's plugins; undefined before the first watcher. */
  watchedPlugins(): readonly string[] | undefined {
    const names = this.fact("plugins");
    return names === undefined ? undefined : JSON.parse(String(names));
  }

  /** Remembers the plugins of a watcher. */
  noteWatchedPlugins(names: readonly string[]): void {
    const text = JSON.stringify(names);
    if (this.fact("plugins") !== text) this.setFact("plugins", text);
  }

  /** Since when the plugin fails to apply the update and so holds up reading, if it does. */
  heldSince(plugin: string, id: string): number | undefined {
    const held = this.#held()[plugin];
    return held?.id === id ? held.since : undefined;
  }

  /** Remembers that, for one update per plugin. */
  noteHeld(plugin: string, id: string, since: number): void {
    const held = { ...this.#held(), [plugin]: { id, since } };
    this.setFact("held", JSON.stringify(held));
  }

  #held(): Readonly<Record<string, { readonly id: string; readonly since: number }>> {
    return JSON.parse(String(this.fact("held") ?? "{}"));
  }

  /** Whether anything is known to have been in the store. */
  knowsObjects(): boolean {
    return this.ownStream.uploadedRow() > 0 || this.cursors.knowsAny();
  }

  /** Changes whenever another process has written to the state. */
  dataVersion(): number {
    return Number(this.#dataVersion.get()!.data_version);
  }

  /** Forgets the rows of the outbox up to `row`. */
  dropOutbox(row: Row): void {
    const time = this.outbox.timeOf(row);
    if (time !== undefined) this.setFact("lastPublished", time);
    this.outbox.drop(row);
  }

  /** Time of the last update that was accepted, in milliseconds since 1970, if there was one. */
  lastPublished(): number | undefined {
    return this.outbox.lastTime() ?? this.fact("lastPublished") as number | undefined;
  }

  /** Time of the oldest update that waits for its upload, in milliseconds since 1970. */
  queuedSince(): number | undefined {
    return this.outbox.timeOf(plus(this.ownStream.uploadedRow(), 1));
  }

  /** How many updates wait for their upload. */
  queued(): number {
    return this.outbox.lastRow() - this.ownStream.uploadedRow();
  }

  /**
   * Where an uploaded row is. Each stream begins where the previous one was given up. For many rows,
   * load the current one once.
   */
  placeOf(row: Row, current: StreamState = this.ownStream.load()): { stream: string; seq: Seq } {
    const { stream, base } = row > current.base ? current : this.former.holding(row) ?? current;
    return { stream, seq: seqOf(row, base) };
  }

  /** Milliseconds from the local clock to the store's, as last noted by any run. */
  get clockOffset(): number {
    return Number(this.fact("clockOffset") ?? 0);
  }

  /**
   * Remembers how far the store's clock is from the local one. Updates that were accepted before
   * the store's first answer have the time of the local clock, and nobody has seen them yet. They
   * are corrected once.
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

  /** Makes the state that of another store, which must hold everything that it knows of its own. */
  moveTo(store: Pick<Owner, "store" | "service">): void {
    this.transaction(() => this.#belongTo(movedTo(this.#knownOwner(), store)));
  }

  /** Closes the database. */
  [Symbol.dispose](): void {
    this.#db[Symbol.dispose]();
  }

  /** Makes the state the owner's; returns whether it is new. */
  #claim(owner: Owner, random: Random): boolean {
    const isNew = this.fact("server") === undefined;
    if (isNew) this.setFact("server", owner.server);
    this.#belongTo(owner);
    if (this.#db.prepare("SELECT 1 FROM publisher").get() === undefined) {
      this.ownStream.begin(`${owner.server}_${random.token()}`, { base: this.outbox.lastRow() });
    }
    return isNew;
  }

  #belongTo(owner: Owner): void {
    checkOwner(this.path, owner, this.#knownOwner());
    const { store, service } = owner;
    if (this.fact("store") !== store) this.setFact("store", store);
    if (service !== undefined && this.fact("service") !== service) {
      this.setFact("service", service);
    }
  }

  #knownOwner(): KnownOwner {
    const [server, store, service] = [this.fact("server"), this.fact("store"), this.fact("service")]
      .map((fact) => fact === undefined ? undefined : String(fact));
    const hasReachedStore = this.fact("lastPoll") !== undefined ||
      this.fact("clockOffset") !== undefined || hasUploaded(this.#db);
    return { server, store, service, hasReachedStore };
  }
}
