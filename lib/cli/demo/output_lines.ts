/**
 * What a `feedsync watch --json` writes, a line each.
 *
 * @module
 */

/** A line on standard error. */
export interface LogLine {
  /** The line itself. */
  readonly line: string;
  /** `DEBUG`, `INFO`, `WARN` or `ERROR`. */
  readonly level: string;
  /** What it says. */
  readonly message: string;
  /** What that is about. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Whole lines: what was begun when the process ended is left out. */
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

/** Reads a line of the log; Deno itself logs in other ways. */
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
