/**
 * Parses the output of `feedsync watch --json`.
 *
 * @module
 */

/** A line on standard error. */
export interface LogLine {
  /** The line itself. */
  readonly line: string;
  /** `DEBUG`, `INFO`, `WARN` or `ERROR`. */
  readonly level: string;
  /** The message. */
  readonly message: string;
  /** Properties of the message. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Yields complete lines; skips a partial line at the end. */
export async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** Parses a line of the log; lines of Deno itself have other forms. */
export function readLog(line: string): LogLine {
  try {
    const { level, message, properties, error } = JSON.parse(line);
    return {
      line,
      level: level ?? "ERROR",
      message: message ?? error.message,
      properties: properties ?? {},
    };
  } catch {
    return { line, level: "ERROR", message: line, properties: {} };
  }
}
