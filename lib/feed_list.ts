/**
 * Reads lists of feeds.
 *
 * @module
 */
import { decodeText } from "./base/decode_text.ts";

/** Options of {@linkcode parseFeedList}. */
export interface ParseFeedListOptions {
  /** What the list is called in messages, such as its file. @default "the list of feeds" */
  readonly name?: string | undefined;
}

/**
 * Reads a list of feeds: one URL per line, or OPML as feed readers export it. In lines, blank ones
 * and those that begin with `#` are ignored. In OPML, the URLs of all outlines are read, however
 * deep they lie. The encoding is that of the byte order mark or the XML declaration, else UTF-8.
 *
 * Returns the URLs as they are written, each once, in the order of the list.
 * {@linkcode due} checks and normalises them.
 *
 * @example
 * ```ts
 * import { parseFeedList } from "@feedsync/feedsync";
 * import assert from "node:assert/strict";
 *
 * const opml = '<opml version="2.0"><body><outline xmlUrl="https://example.com/a"/></body></opml>';
 * assert.deepEqual(await parseFeedList(opml), ["https://example.com/a"]);
 * assert.deepEqual(await parseFeedList("# news\nhttps://example.com/b\n"), ["https://example.com/b"]);
 * ```
 *
 * @throws {SyntaxError} when the list is XML that is damaged, cut off or not OPML, or is not text.
 */
export async function parseFeedList(
  list: string | Uint8Array,
  { name = "the list of feeds" }: ParseFeedListOptions = {},
): Promise<string[]> {
  try {
    const text = (typeof list === "string" ? list : decodeText(list)).replace(/^\ufeff/, "");
    const urls = /^\s*</.test(text) ? await readOpml(text) : readLines(text);
    return [...new Set(urls)];
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SyntaxError(`Cannot read ${name}: ${cause.message}`, { cause });
  }
}

/** The parser is loaded only if there is OPML. */
async function readOpml(text: string): Promise<string[]> {
  const { parseOpml } = await import("./base/opml.ts");
  return parseOpml(text);
}

function readLines(text: string): string[] {
  return text.split(/\r\n|\r|\n/).map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
