/**
 * Text files in the encoding that they name themselves.
 *
 * @module
 */

/** Byte order marks, as `TextDecoder` removes them. */
const MARKS: readonly (readonly [label: string, bytes: readonly number[]])[] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
  // Without a mark, by the first character of an XML document.
  ["utf-16le", [0x3c, 0x00]],
  ["utf-16be", [0x00, 0x3c]],
];

/** The encoding in the XML declaration at the beginning of a document. */
const DECLARED = /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'\s]+)["']/;

/** Bytes within which the XML declaration ends. */
const DECLARATION_BYTES = 512;

/**
 * Decodes text by its byte order mark, else by the encoding in its XML declaration, else as UTF-8.
 *
 * @throws {SyntaxError} when the encoding is unknown, or the bytes are not valid in it.
 */
export function decodeText(bytes: Uint8Array): string {
  const label = encodingOf(bytes);
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(label, { fatal: true });
  } catch (cause) {
    throw new SyntaxError(`its encoding ${JSON.stringify(label)} is unknown`, { cause });
  }
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new SyntaxError(`it is not ${decoder.encoding.toUpperCase()} text`, { cause });
  }
}

function encodingOf(bytes: Uint8Array): string {
  const marked = MARKS.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte));
  if (marked) return marked[0];
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, DECLARATION_BYTES));
  const declared = DECLARED.exec(start)?.[1] ?? "utf-8";
  // Whoever converted the file left the declaration as it was: in UTF-16 it could not be read here.
  return /^(utf-?16|ucs-?2|iso-10646-ucs-2|unicode)/i.test(declared) ? "utf-8" : declared;
}
