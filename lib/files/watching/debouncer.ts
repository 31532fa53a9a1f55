/**
 * Debounces changes of files: each is examined once it has been left alone for a while.
 *
 * @module
 */
import type { Clock } from "../../base/environment.ts";

/** Bounds the memory that the content of files takes. */
const MAX_AT_ONCE = 16;

/** A file that keeps changing for longer than this is reported as unsettled. */
const PATIENCE_MS = 15_000;

/** What became of a file that was marked. */
export type Outcome =
  | "published"
  | "removed"
  | "left"
  | "foreign"
  | "unchanged"
  | "ignored"
  | "withheld"
  | "failed"
  | "unsettled";

/** Why a file is waiting. */
export interface Mark {
  /** Its fingerprint when a scan found it; absent when an event reported a change. */
  readonly fingerprint?: string;
  /** What was the newest of its URL since it was first marked, as {@linkcode versionKey}s. */
  readonly received: ReadonlySet<string>;
}

/** Stands for an update of the URL with this content; null: the feed is gone. */
export function versionKey(url: string, hash: string | null): string {
  return `${hash} ${url}`;
}

/** The file is still changing, and has this fingerprint now. */
export interface Changing {
  /** See {@linkcode FileStatus.fingerprint}. */
  readonly fingerprint: string;
}

/** Examines a file that was left alone for a while. Must not throw. */
export type Examine = (name: string, mark: Mark) => Promise<Outcome | Changing>;

interface Waiting extends PromiseWithResolvers<Outcome> {
  readonly name: string;
  readonly mark: Mark;
  /** When it was first marked. */
  readonly since: number;
  readonly due: number;
}

/** The files that wait to be examined. One file is never examined twice at the same time. */
export class Debouncer {
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #examine: Examine;
  /** In the order in which they are due. */
  readonly #waiting = new Map<string, Waiting>();
  #cancelTimer: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /** Each file is examined when it has not been marked for `settleMs`. */
  constructor(clock: Clock, settleMs: number, examine: Examine) {
    this.#clock = clock;
    this.#settleMs = settleMs;
    this.#examine = examine;
  }

  /**
   * Marks the file: an event reported a change just now, or a scan found it with this fingerprint. Resolves
   * when it has been examined, or to `unsettled` when it keeps changing; it goes on waiting then.
   */
  mark(name: string, mark: Mark): Promise<Outcome> {
    return this.#enter(name, mark, this.#clock.elapsed());
  }

  #enter(name: string, { fingerprint, received }: Mark, since: number): Promise<Outcome> {
    const now = this.#clock.elapsed();
    const known = this.#waiting.get(name);
    // That a scan finds a waiting file again is no news: it is compared when it is due.
    const isNews = known === undefined || fingerprint === undefined;
    if (isNews) this.#waiting.delete(name);
    const file: Waiting = {
      ...(known ?? Promise.withResolvers<Outcome>()),
      name,
      mark: {
        fingerprint: isNews ? fingerprint : known.mark.fingerprint,
        received: known ? known.mark.received.union(received) : received,
      },
      since: known ? Math.min(known.since, since) : since,
      due: isNews ? now + this.#settleMs : known.due,
    };
    this.#waiting.set(name, file);
    if (now - file.since > Math.max(PATIENCE_MS, this.#settleMs)) file.resolve("unsettled");
    this.#schedule();
    return file.promise;
  }

  /** Forgets all files that wait; resolves when none is being examined any more. */
  async clear(): Promise<void> {
    this.#forget();
    await this.#running;
    // What was still changing has been marked again.
    this.#forget();
  }

  #forget(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const file of this.#waiting.values()) file.resolve("unsettled");
    this.#waiting.clear();
  }

  #schedule(): void {
    if (this.#running || this.#cancelTimer) return;
    const [first] = this.#waiting.values();
    if (!first) return;
    this.#cancelTimer = this.#clock.setTimer(this.#leftMs(first), () => {
      this.#cancelTimer = undefined;
      this.#running = this.#examineDue().finally(() => {
        this.#running = undefined;
        this.#schedule();
      });
    });
  }

  async #examineDue(): Promise<void> {
    for (let due = this.#takeDue(); due.length > 0; due = this.#takeDue()) {
      await Promise.all(due.map(async ({ name, mark, since, resolve }) => {
        const outcome = await this.#examine(name, mark);
        if (typeof outcome === "string") return resolve(outcome);
        resolve(this.#enter(name, { ...outcome, received: mark.received }, since));
      }));
    }
  }

  #takeDue(): Waiting[] {
    const due: Waiting[] = [];
    for (const file of this.#waiting.values()) {
      if (due.length === MAX_AT_ONCE || this.#leftMs(file) > 0) break;
      this.#waiting.delete(file.name);
      due.push(file);
    }
    return due;
  }

  /** Never longer than `settleMs`, even if the clock was set back. */
  #leftMs({ due }: Waiting): number {
    const leftMs = due - this.#clock.elapsed();
    return leftMs > this.#settleMs ? 0 : Math.max(0, leftMs);
  }
}
