/**
 * A progress line on the terminal.
 *
 * @module
 */
import type { RestoreProgress } from "../reading/watcher.ts";

/** Describes progress, given the numbers of items that are done and of all, as text. */
export type Describe = (done: string, all: string) => string;

/** Minimum delay between two writes. */
const INTERVAL_MS = 100;

/** The output that shows the line. */
export interface Terminal {
  /** Whether the output is a terminal. */
  isTerminal(): boolean;
  /** Writes bytes. */
  writeSync(bytes: Uint8Array): number;
}

/**
 * Shows progress, if standard error is a terminal. The terminal's cursor stays at
 * the beginning of the line, so that log messages overwrite it.
 */
export class ProgressLine implements Disposable {
  readonly #terminal: Terminal | undefined;
  readonly #now: () => number;
  #shownAt = -Infinity;
  #isShown = false;

  /** Creates the line without showing it. */
  constructor(terminal: Terminal = Deno.stderr, now: () => number = () => performance.now()) {
    if (terminal.isTerminal()) this.#terminal = terminal;
    this.#now = now;
  }

  /** Shows the progress of restoring; clears the line at the end. */
  readonly show = ({ restored, total }: RestoreProgress): void =>
    this.update({ done: restored, total }, (done, all) => `restoring ${done} of ${all} feeds`);

  /** Shows progress; clears the line at the end. */
  update({ done, total }: { done: number; total: number }, describe: Describe): void {
    if (done >= total) return this.clear();
    if (this.#now() - this.#shownAt < INTERVAL_MS) return;
    this.#shownAt = this.#now();
    this.#write(describe(done.toLocaleString("en"), total.toLocaleString("en")));
    this.#isShown = true;
  }

  /** Clears the line. */
  clear(): void {
    if (this.#isShown) this.#write("");
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #write(text: string): void {
    try {
      this.#terminal?.writeSync(new TextEncoder().encode(`\r\x1b[K${text}\r`));
    } catch {
      // The terminal is gone.
    }
  }
}
