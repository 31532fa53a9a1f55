/**
 * What others answer, as far as it goes into a message.
 *
 * @module
 */

/** So many characters say enough. */
const MOST_CHARACTERS = 200;

/** The beginning of a body; reads little more than that, however long it is. */
export async function excerpt({ body }: Response): Promise<string> {
  let text = "";
  try {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.length >= MOST_CHARACTERS) break;
    }
  } catch {
    // The status says enough.
  }
  return text.slice(0, MOST_CHARACTERS);
}
