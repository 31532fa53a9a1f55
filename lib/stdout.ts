/**
 * Standard output.
 *
 * @module
 */

/** Writes a line, whole, before the promise resolves; control characters are made harmless. */
export async function print(line: string): Promise<void> {
  const writer = Deno.stdout.writable.getWriter();
  const written = writer.write(new TextEncoder().encode(`${escapeControls(line)}\n`));
  writer.releaseLock();
  await written;
}

/**
 * Other servers choose much of what is printed: control characters, line separators and characters
 * that change the direction of text become `\uXXXX`, which JSON reads back as what they were.
 */
function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) =>
      character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join(""),
  );
}
