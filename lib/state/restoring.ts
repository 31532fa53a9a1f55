/**
 * Whether this server has to restore: to deliver what the bucket keeps for good and the plugins never had.
 *
 * @module
 */
import type { Database } from "./database.ts";

/**
 * Counts the reasons to restore. One restore serves all of them that were there when it began; a reason that
 * comes while it runs is served by the next one.
 */
export class Restoring {
  readonly #get;
  readonly #set;

  constructor(db: Database) {
    this.#get = db.prepare("SELECT value FROM meta WHERE key = ?");
    this.#set = db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
  }

  /** There is a reason to restore: to be called in the transaction that makes it one. */
  require(): void {
    this.#set.run("restoreReasons", this.reasons() + 1);
  }

  /** How many reasons there have been so far. */
  reasons(): number {
    return this.#fact("restoreReasons") ?? 0;
  }

  /** Whether a reason was not served yet. */
  isDue(): boolean {
    return this.reasons() > (this.#fact("restoreServed") ?? 0);
  }

  /** Whether a restore has ever been complete. */
  wasServed(): boolean {
    return this.#fact("restoreServed") !== undefined;
  }

  /** The first so many reasons are served: nothing is missing. */
  noteServed(reasons: number): void {
    this.#set.run("restoreServed", reasons);
    this.#set.run("restoreHeldSince", 0);
  }

  /** Notes that something cannot be restored `now`; returns since when that is so. */
  hold(now: number): number {
    const since = this.#fact("restoreHeldSince") || now;
    this.#set.run("restoreHeldSince", since);
    return since;
  }

  #fact(key: string): number | undefined {
    return this.#get.get(key)?.value as number | undefined;
  }
}
