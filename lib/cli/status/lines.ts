/**
 * Lines of styled text, aligned and wrapped by the columns that they take.
 *
 * @module
 */
import { printable } from "../../base/printable.ts";
import type { Paint, Style } from "../demo/style.ts";
import { cutToWidth, displayWidth } from "./display_width.ts";

/** A piece of a line. */
export interface Span {
  /** The text; printable. */
  readonly text: string;
  /** Its style. @default none */
  readonly style?: Style | undefined;
}

/** A line. */
export type Line = readonly Span[];

/** Space between two columns of a table. */
const GAP = "  ";

/** Makes a piece of a line. Characters that a terminal could take for commands are escaped. */
export function span(text: string, style?: Style): Span {
  return { text: printable(text), style };
}

/** Makes a line of one piece. */
export function line(text: string, style?: Style): Line {
  return [span(text, style)];
}

/** Renders the line, cut to `columns`. */
export function renderLine(pieces: Line, paint: Paint, columns = Infinity): string {
  let left = columns;
  return pieces.map(({ text, style }) => {
    const shown = cutToWidth(text, left);
    left -= displayWidth(shown);
    return style && shown ? paint(style, shown) : shown;
  }).join("").trimEnd();
}

/** Aligns cells in columns; `isRight` tells which ones are numbers, aligned at the right. */
export function aligned(
  rows: readonly (readonly Span[])[],
  isRight: (column: number) => boolean = () => false,
): Line[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, { text }] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(text));
    }
  }
  return rows.map((row) =>
    row.flatMap(({ text, style }, column) => {
      const space = " ".repeat(widths[column] - displayWidth(text));
      const isLast = column === row.length - 1;
      const cell = isRight(column) ? space + text : isLast ? text : text + space;
      return [{ text: isLast ? cell : cell + GAP, style }];
    })
  );
}

/** Wraps a text to `columns`; lines but the first begin with as much space as `first` is wide. */
export function wrapped(first: Span, text: string, columns: number, style?: Style): Line[] {
  const indent = displayWidth(first.text), width = Math.max(20, columns - indent);
  const lines: string[] = [];
  let current = "";
  for (const word of printable(text).split(" ")) {
    const longer = current === "" ? word : `${current} ${word}`;
    if (current !== "" && displayWidth(longer) > width) {
      lines.push(current);
      current = word;
    } else current = longer;
  }
  lines.push(current);
  return lines.map((text, index) => [
    index === 0 ? first : { text: " ".repeat(indent) },
    { text, style },
  ]);
}
