/**
 * Dead letters on standard output.
 *
 * @module
 */
import { shownUrl } from "../../feed_url.ts";
import type { ListedLetter } from "../../state/dead_letters.ts";
import type { JsonObject } from "../../update.ts";
import { print, printJson } from "../output.ts";

/** Prints a letter on one line, with what became of it. */
export async function tell(
  letter: ListedLetter,
  { json, status }: { readonly json: boolean; readonly status?: string },
): Promise<void> {
  if (json) return await printJson({ ...status && { status }, ...letterToJson(letter) });
  const { id, plugin, stream, seq, url, error, time } = letter;
  const columns = [
    id,
    new Date(time).toISOString(),
    plugin,
    `${stream}/${seq}`,
    shownUrl(url),
    error,
  ];
  await print([...status ? [status] : [], ...columns].join("  "));
}

/** The stable JSON form of a letter. */
export function letterToJson(
  { id, plugin, stream, seq, url, error, time }: ListedLetter,
): JsonObject {
  return { id, plugin, stream, seq, url, error, time: new Date(time).toISOString() };
}
