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

/** How text can look. */
export type Style = keyof typeof CODES;

/** Makes text look so, if anything can. */
export type Paint = (style: Style, text: string) => string;

/** For terminals. */
export const colored: Paint = (style, text) => `\x1b[${CODES[style]}m${text}\x1b[0m`;

/** For everything else. */
export const uncolored: Paint = (_, text) => text;
