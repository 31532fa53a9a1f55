/**
 * Files that changed, until each has come to rest and was examined.
 *
 * @module
 */
import type { Clock } from "../../base/environment.ts";

/** Files examined side by side: bounds the memory that their content takes. */
const SIDE_BY_SIDE = 16;

/** Who waits for a file that changes for longer than this is told that it is unsettled: milliseconds. */
const PATIENCE = 15_000;

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
  /** Key of its stamp when it was marked; absent when an event told of a change. */
  readonly stamp?: string;
  /** What was the newest of its URL since it was first marked, as the examiner puts it. */
  readonly received: ReadonlySet<string>;
}

/** The file is still changing: this is the key of its stamp now. */
export interface Changing {
  /** Key of the stamp. */
  readonly stamp: string;
}

/** Looks at a file that was left alone for a while. Must not throw. */
export type Examine = (name: string, mark: Mark) => Promise<Outcome | Changing>;

interface Waiting extends PromiseWithResolvers<Outcome> {
  readonly name: string;
  readonly mark: Mark;
  /** When it was first marked. */
  readonly since: number;
  readonly due: number;
}

/** The files waiting to come to rest. One file is never examined twice at the same time. */
export class Settling {
  readonly #clock: Clock;
  readonly #settle: number;
  readonly #examine: Examine;
  /** In the order in which they are due. */
  readonly #waiting = new Map<string, Waiting>();
  #cancelTimer: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /** Each file is examined when it has not been marked for `settle` milliseconds. */
  constructor(clock: Clock, settle: number, examine: Examine) {
    this.#clock = clock;
    this.#settle = settle;
    this.#examine = examine;
  }

  /**
   * Marks the file: an event told of a change just now, or it was found with this stamp. Resolves
   * when it has been examined, or to `unsettled` when it keeps changing; it goes on waiting then.
   */
  mark(name: string, mark: Mark): Promise<Outcome> {
    return this.#enter(name, mark, this.#clock.elapsed());
  }

  #enter(name: string, { stamp, received }: Mark, since: number): Promise<Outcome> {
    const now = this.#clock.elapsed();
    const known = this.#waiting.get(name);
    // That a waiting file was found again is no news: it is compared when it is due.
    const isNews = known === undefined || stamp === undefined;
    if (isNews) this.#waiting.delete(name);
    const file: Waiting = {
      ...(known ?? Promise.withResolvers<Outcome>()),
      name,
      mark: {
        stamp: isNews ? stamp : known.mark.stamp,
        received: known ? known.mark.received.union(received) : received,
      },
      since: known ? Math.min(known.since, since) : since,
      due: isNews ? now + this.#settle : known.due,
    };
    this.#waiting.set(name, file);
    if (now - file.since > Math.max(PATIENCE, this.#settle)) file.resolve("unsettled");
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
    this.#cancelTimer = this.#clock.setTimer(this.#timeLeft(first), () => {
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
      if (due.length === SIDE_BY_SIDE || this.#timeLeft(file) > 0) break;
      this.#waiting.delete(file.name);
      due.push(file);
    }
    return due;
  }

  /** Nothing waits longer than it must when the clock was set back. */
  #timeLeft({ due }: Waiting): number {
    const left = due - this.#clock.elapsed();
    return left > this.#settle ? 0 : Math.max(0, left);
  }
}
