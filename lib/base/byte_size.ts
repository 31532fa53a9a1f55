/**
 * Sizes as people write them.
 *
 * @module
 */

/** A size: `"64kB"`, `"500MB"`, `"1GB"`, `"4MiB"`, or a number of bytes. */
export type ByteSize = string | number;

/** What a size looks like as text: a number and its unit. */
const BYTE_SIZE = /^(\d+(?:\.\d+)?)(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;

/** How to write one, for messages. */
export const BYTE_SIZE_RULE: string =
  'must be a size such as "500MB", "1GB" or "4MiB", or a number of bytes';

const UNITS: Record<string, number> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * Bytes of a size, a whole number.
 *
 * @throws {RangeError} when `value` is no size.
 */
export function parseByteSize(value: ByteSize): number {
  const bytes = Math.floor(typeof value === "number" ? value : parseText(value));
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw new RangeError(
    `Cannot read a size, it ${BYTE_SIZE_RULE}: current value is ${
      typeof value === "string" ? JSON.stringify(value) : value
    }`,
  );
}

/** Whether {@linkcode parseByteSize} can read it. */
export function isByteSize(value: ByteSize): boolean {
  try {
    return parseByteSize(value) >= 0;
  } catch {
    return false;
  }
}

function parseText(text: string): number {
  const match = BYTE_SIZE.exec(text);
  return match ? Number(match[1]) * UNITS[match[2]] : NaN;
}
