/**
 * Colours on terminals.
 *
 * @module
 */

const CODES = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  magenta: 35,
  cyan: 36,
} as const;

/** A text style. */
export type Style = keyof typeof CODES;

/** Applies a style to a text, if colours are supported. */
export type Paint = (style: Style, text: string) => string;

/** Colours text for terminals. */
export const colored: Paint = (style, text) => `\x1b[${CODES[style]}m${text}\x1b[0m`;

/** Leaves text without colours. */
export const uncolored: Paint = (_, text) => text;

/** Colours text if it goes to a terminal that shows colours, and `NO_COLOR` is not set. */
export function paintFor(output: { isTerminal(): boolean }): Paint {
  const isColored = output.isTerminal() && !Deno.noColor && Deno.env.get("TERM") !== "dumb";
  return isColored ? colored : uncolored;
}
