/**
 * What this server knows of the fleet: its own presence, whose turns it takes part in, and who else
 * is there.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** The own presence, as it was written last. Times are by the store's clock. */
export interface WrittenPresence {
  /** The key of its object. */
  readonly key: string;
  /** Identifies the process that writes it. */
  readonly writer: string;
  /** When it was written, the last time last: so many as show that the store was there all along. */
  readonly written: readonly number[];
  /** When `watch` has looked after it last. */
  readonly keptAt: number;
  /** Keys of former ones that may be there: they were perhaps written, or not deleted. */
  readonly left?: readonly string[] | undefined;
}

/** The turns that this server takes. Times are by the store's clock. */
export interface TakenTurns {
  /** Digest of its list of feeds. */
  readonly digest: string;
  /** When the list was stored. */
  readonly storedAt: number;
  /** When it ends, unless the application asks again. */
  readonly until: number;
  /** Time between two presences, in milliseconds. */
  readonly intervalMs: number;
}

/** A server that was seen. */
export interface SeenServer {
  readonly server: string;
  readonly stream: string;
  readonly writer: string;
  readonly weight: number;
  /** Digest of its list of feeds. */
  readonly list?: string | undefined;
  /** Number of listings in a row that did not show it. */
  readonly missed: number;
}

/** The servers that were seen. */
export interface SeenFleet {
  /** When the presences were listed, by the store's clock. */
  readonly lookedAt: number;
  readonly servers: readonly SeenServer[];
}

/** Kept as JSON: read and written as a whole, about once a minute. */
export class Fleet {
  readonly #get;
  readonly #set;

  constructor(db: Database) {
    this.#get = db.prepare("SELECT value FROM meta WHERE key = ?");
    this.#set = db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
  }

  /** The own presence; undefined when there is none. */
  presence(): WrittenPresence | undefined {
    return this.#read("presence");
  }

  /** Notes the own presence, or that it is gone. */
  setPresence(presence: WrittenPresence | undefined): void {
    this.#write("presence", presence);
  }

  /** The turns that this server takes; undefined when it never took any. */
  turns(): TakenTurns | undefined {
    return this.#read("turnsTaken");
  }

  /** Notes the turns that this server takes. */
  setTurns(turns: TakenTurns): void {
    this.#write("turnsTaken", turns);
  }

  /** The servers that were seen last; undefined before the first look. */
  seen(): SeenFleet | undefined {
    return this.#read("fleet");
  }

  /** Notes the servers that were seen. */
  setSeen(fleet: SeenFleet): void {
    this.#write("fleet", fleet);
  }

  #read<T>(key: string): T | undefined {
    const text = this.#get.get(key)?.value;
    return text === undefined ? undefined : JSON.parse(String(text)) ?? undefined;
  }

  #write(key: string, value: unknown): void {
    this.#set.run(key, JSON.stringify(value ?? null));
  }
}
