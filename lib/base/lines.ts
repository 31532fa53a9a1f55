/**
 * Reading lines in bounded memory.
 *
 * @module
 */

const NEWLINE = 10;

/** Options of {@linkcode readLines}. */
export interface LinesOptions {
  /** Maximum length of a line. */
  readonly maxBytes: number;
}

/**
 * The lines of a stream, without the newlines, as soon as they are complete.
 *
 * @throws {RangeError} when a line is too long.
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  { maxBytes }: LinesOptions,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [], length = 0;
  const take = (part: Uint8Array) => {
    length += part.length;
    if (length > maxBytes) throw new RangeError(`it has more than ${maxBytes} bytes`);
    parts.push(part);
  };
  const joined = () => {
    const line = new Uint8Array(length);
    let end = 0;
    for (const part of parts) {
      line.set(part, end);
      end += part.length;
    }
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of stream) {
    let start = 0;
    for (let end; (end = chunk.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      take(chunk.subarray(start, end));
      yield joined();
    }
    take(chunk.subarray(start));
  }
  if (length > 0) yield joined();
}
