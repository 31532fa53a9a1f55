/**
 * Values that are small to send and large to handle.
 *
 * @module
 */
import { zstdCompressSync } from "node:zlib";
import type { ObjectName } from "../../lib/log/names.ts";

/** The JSON text of a value that is nested `depth` levels deep. */
export function nestedText(open: string, close: string, depth: number, inner = ""): string {
  return open.repeat(depth) + inner + close.repeat(depth);
}

/** A value that is nested `depth` levels deep. */
export function nested(open: string, close: string, depth: number, inner = ""): unknown {
  return JSON.parse(nestedText(open, close, depth, inner));
}

/** The JSON text of so many numbers. */
export function ones(count: number): string {
  return Array.from({ length: count }, () => "1").join();
}

/** The body of an object with these lines behind a header that is right but for `changes`. */
export function bodyOf(
  { stream, first, last, writer }: ObjectName,
  lines: readonly string[],
  changes: Record<string, unknown> = {},
): Uint8Array {
  const header = { feedsync: 1, stream, first, count: last - first + 1, writer, ...changes };
  return new Uint8Array(zstdCompressSync([JSON.stringify(header), ...lines, ""].join("\n")));
}

/** The line of an update; the values of `members` are JSON text. */
export function lineOf(seq: number, members: Record<string, string> = {}): string {
  const given = {
    seq: String(seq),
    id: JSON.stringify(`00000000-0000-4000-8000-${String(seq).padStart(12, "0").slice(-12)}`),
    url: '"https://example.com/"',
    time: '"2026-01-01T00:00:00.000Z"',
    content: '"x"',
    ...members,
  };
  return `{${Object.entries(given).map(([name, text]) => `"${name}":${text}`).join()}}`;
}
