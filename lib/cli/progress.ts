/**
 * A line on the terminal that shows how far something is.
 *
 * @module
 */
import type { RestoreProgress } from "../reading/watcher.ts";

/** The line is written at most so often. */
const INTERVAL_MS = 100;

/** Where the line is shown. */
export interface Terminal {
  /** Whether somebody sees it. */
  isTerminal(): boolean;
  /** Writes to it. */
  writeSync(bytes: Uint8Array): number;
}

/**
 * Shows how far restoring is, as long as it lasts; nothing where standard error is no terminal. The cursor
 * stays at the beginning of the line, so that whatever is logged meanwhile replaces it.
 */
export class ProgressLine implements Disposable {
  readonly #terminal: Terminal | undefined;
  readonly #now: () => number;
  #shownAt = -Infinity;
  #isShown = false;

  /** Nothing is shown yet. */
  constructor(terminal: Terminal = Deno.stderr, now: () => number = () => performance.now()) {
    if (terminal.isTerminal()) this.#terminal = terminal;
    this.#now = now;
  }

  /** Shows it. */
  readonly show = ({ restored, total }: RestoreProgress): void => {
    if (restored >= total) return this.clear();
    if (this.#now() - this.#shownAt < INTERVAL_MS) return;
    this.#shownAt = this.#now();
    const [done, all] = [restored, total].map((count) => count.toLocaleString("en"));
    this.#write(`restoring ${done} of ${all} feeds`);
    this.#isShown = true;
  };

  /** Takes the line away. */
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
      // Nobody looks any more.
    }
  }
}
