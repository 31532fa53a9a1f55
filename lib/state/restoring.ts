/**
 * Whether this server must restore: deliver updates from `newest/` that the plugins never received.
 *
 * @module
 */
import type { Database } from "./database.ts";

/**
 * Counts the reasons to restore. A completed restore settles the reasons that existed when it
 * began; later ones take another restore.
 */
export class Restoring {
  readonly #get;
  readonly #set;

  constructor(db: Database) {
    this.#get = db.prepare("SELECT value FROM meta WHERE key = ?");
    this.#set = db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
  }

  /** Adds a reason to restore. Call this in the transaction that causes it. */
  require(): void {
    this.#set.run("restoreReasons", this.reasons() + 1);
  }

  /** Number of reasons so far. */
  reasons(): number {
    return this.#fact("restoreReasons") ?? 0;
  }

  /** Whether a reason is not settled yet. */
  isDue(): boolean {
    return this.reasons() > (this.#fact("restoreServed") ?? 0);
  }

  /** Whether a restore was ever completed. */
  wasServed(): boolean {
    return this.#fact("restoreServed") !== undefined;
  }

  /** Settles the first `reasons` reasons, after a completed restore. */
  noteServed(reasons: number): void {
    this.#set.run("restoreServed", reasons);
    this.#set.run("restoreHeldSince", 0);
  }

  /** Notes that an update cannot be restored `now`; returns since when that is so. */
  hold(now: number): number {
    const since = this.#fact("restoreHeldSince") || now;
    this.#set.run("restoreHeldSince", since);
    return since;
  }

  #fact(key: string): number | undefined {
    return this.#get.get(key)?.value as number | undefined;
  }
}
