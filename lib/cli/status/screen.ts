/**
 * Shows lines: on a terminal coloured and in place, else as plain text.
 *
 * @module
 */
import { paintFor, uncolored } from "../demo/style.ts";
import { print } from "../output.ts";
import { type Line, renderLine } from "./lines.ts";

/** Moves to the top left, clears the rest of a line, and of the screen. */
const HOME = "\x1b[H", CLEAR_LINE = "\x1b[K", CLEAR_BELOW = "\x1b[J", CLEAR = "\x1b[2J";

/** Standard output. */
export class Screen {
  #redraws = false;
  #isDrawn = false;

  /** From now on, each view takes the place of the one before. */
  startOver(): void {
    this.#redraws = true;
  }

  /** Shows what `render` makes for a number of columns. */
  async show(render: (columns: number) => readonly Line[]): Promise<void> {
    if (!Deno.stdout.isTerminal()) {
      const lines = render(Infinity).map((line) => renderLine(line, uncolored));
      if (this.#isDrawn && lines.length > 0) await print("");
      this.#isDrawn = true;
      for (const line of lines) await print(line);
      return;
    }
    const { columns, rows } = Deno.consoleSize(), paint = paintFor(Deno.stdout);
    const lines = render(columns);
    if (this.#redraws) {
      return this.#redraw(lines.map((line) => renderLine(line, paint, columns)), rows);
    }
    for (const line of lines) console.log(renderLine(line, paint));
  }

  #redraw(lines: readonly string[], rows: number): void {
    const shown = lines.length < rows
      ? lines
      : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} more lines`];
    const text = shown.map((line) => line + CLEAR_LINE).join("\n");
    // With the newline that follows, the cursor is at most in the last row.
    console.log(`${this.#isDrawn ? HOME : CLEAR + HOME}${text}${CLEAR_BELOW}`);
    this.#isDrawn = true;
  }
}
