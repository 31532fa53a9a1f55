/**
 * Waits until each file that changed has stopped changing, then has it examined.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";

/** Files examined at once: bounds the memory that their content takes. */
const MAX_PARALLEL = 16;

/** A file that keeps changing for longer than this is reported as unsettled. */
const MAX_WAIT_MS = 15_000;

/** What became of a file that was marked. */
export type Outcome =
  | "published"
  | "removed"
  | "left"
  | "unchanged"
  | "ignored"
  | "failed"
  | "unsettled";

/** Why a file is waiting. */
export interface Mark {
  /** Version of the file when a scan marked it; absent when an event did. */
  readonly version?: string;
  /** Newest updates of its URL since it was first marked, in the examiner's notation. */
  readonly received: ReadonlySet<string>;
}

/** The file is still changing. */
export interface Changing {
  /** Its version now. */
  readonly version: string;
}

/** Examines a file that has not changed for a while. Must not throw. */
export type Examine = (name: string, mark: Mark) => Promise<Outcome | Changing>;

interface Waiting extends PromiseWithResolvers<Outcome> {
  readonly name: string;
  readonly mark: Mark;
  /** When it was first marked. */
  readonly since: number;
  readonly due: number;
}

/** Debounces changes of files. A file is never examined twice at the same time. */
export class Debouncer {
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
   * Marks the file as changed: by an event just now, or by a scan that found this version. Resolves when
   * it was examined, or to `unsettled` when it keeps changing; it goes on waiting then.
   */
  mark(name: string, mark: Mark): Promise<Outcome> {
    return this.#enter(name, mark, this.#clock.elapsed());
  }

  #enter(name: string, { version, received }: Mark, since: number): Promise<Outcome> {
    const now = this.#clock.elapsed();
    const known = this.#waiting.get(name);
    // A scan that finds a waiting file again tells nothing new: it is compared when it is due.
    const isNews = known === undefined || version === undefined;
    if (isNews) this.#waiting.delete(name);
    const file: Waiting = {
      ...(known ?? Promise.withResolvers<Outcome>()),
      name,
      mark: {
        version: isNews ? version : known.mark.version,
        received: known ? known.mark.received.union(received) : received,
      },
      since: known ? Math.min(known.since, since) : since,
      due: isNews ? now + this.#settle : known.due,
    };
    this.#waiting.set(name, file);
    if (now - file.since > Math.max(MAX_WAIT_MS, this.#settle)) file.resolve("unsettled");
    this.#schedule();
    return file.promise;
  }

  /** Forgets all waiting files; resolves when none is being examined. */
  async clear(): Promise<void> {
    this.#forget();
    await this.#running;
    // Files that were still changing have been marked again.
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
      if (due.length === MAX_PARALLEL || this.#timeLeft(file) > 0) break;
      this.#waiting.delete(file.name);
      due.push(file);
    }
    return due;
  }

  /** Time until the file is due; 0 when the clock was set back, so that it never waits too long. */
  #timeLeft({ due }: Waiting): number {
    const left = due - this.#clock.elapsed();
    return left > this.#settle ? 0 : Math.max(0, left);
  }
}
