/**
 * Text that cannot mislead a terminal, or the reader of a log.
 *
 * @module
 */

/**
 * Other servers, and whoever can write to the bucket, choose much of what is printed: control
 * characters, line separators, characters that change the direction of text and halves of
 * characters become `\uXXXX`, which JSON reads back as what they were.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) =>
      character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join(""),
  );
}
