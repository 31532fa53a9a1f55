/**
 * How many columns of a terminal a text takes.
 *
 * @module
 */

/** Characters that take two columns: those of East Asia, and emoji. */
const WIDE = new RegExp(
  "[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff" +
    "\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6\\u{20000}-\\u{3fffd}\\p{Emoji_Presentation}]",
  "u",
);

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Number of columns that the text takes. It must be printable. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += segmentWidth(segment);
  return width;
}

/** The text, cut to `width` columns. */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "", used = 0;
  for (const { segment } of segmenter.segment(text)) {
    used += segmentWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** Marks that combine with what is before them belong to its segment. */
function segmentWidth(segment: string): number {
  if (/^\p{M}+$/u.test(segment)) return 0;
  return WIDE.test(segment) ? 2 : 1;
}
