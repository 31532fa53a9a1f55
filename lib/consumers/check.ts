/**
 * Checks what callers give: names, options, numbers.
 *
 * @module
 */
import { printable } from "../base/printable.ts";
import type { ConsumerTraits } from "../state/consumers.ts";
import type { ConsumerOptions, ConsumerReadOptions } from "./consumer.ts";
import type { LineOptions } from "./line_batch.ts";

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const MIB = 1024 * 1024;

/** Bounds of what is read at once. */
const MAX_LINES = 10_000, MAX_BYTES = 64 * MIB, MAX_WAIT_MS = 25_000;

/** Whether a consumer can have this name. */
export function isName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name);
}

/** Options that were checked. */
export interface CheckedRead extends LineOptions {
  /** How long to wait for the first line. */
  readonly waitMs: number;
  /** The cursor to read after. */
  readonly after: string | undefined;
}

/**
 * Checks what to read.
 *
 * @throws {TypeError | RangeError} when an option is invalid.
 */
export function checkRead(
  { limit = 100, maxBytes = 4 * MIB, waitMs = 0, content = "text", after }: ConsumerReadOptions,
): Omit<CheckedRead, "signal"> {
  checkRange("limit", limit, { min: 1, max: MAX_LINES });
  checkRange("maxBytes", maxBytes, { min: 1, max: MAX_BYTES });
  checkRange("waitMs", waitMs, { min: 0, max: MAX_WAIT_MS });
  if (content !== "text" && content !== "bytes" && content !== "none") {
    throw new TypeError(`'content' must be text, bytes or none, not ${shown(content)}`);
  }
  return { limit, maxBytes, waitMs, content, after };
}

function checkRange(name: string, value: number, { min, max }: { min: number; max: number }): void {
  if (typeof value === "number" && value >= min && value <= max) return;
  throw new RangeError(`'${name}' must be a number from ${min} to ${max}, not ${shown(value)}`);
}

/**
 * Checks name and options of a consumer.
 *
 * @throws {TypeError} when they are invalid.
 */
export function traitsOf(name: string, { from, own = false }: ConsumerOptions): ConsumerTraits {
  if (!isName(name)) {
    throw new TypeError(
      `Cannot make the consumer ${shown(name)}: a name has up to 63 of the characters a-z, 0-9, ` +
        "'.', '_' and '-', and begins with a letter or digit",
    );
  }
  if (from !== "newest" && from !== "now") {
    throw new TypeError(`'from' must be newest or now, not ${shown(from)}`);
  }
  if (typeof own !== "boolean") throw new TypeError(`'own' must be true or false`);
  return { name, start: from, own };
}

/** A value that somebody sent, for a message. */
export function shown(value: unknown): string {
  return printable(String(JSON.stringify(value))).slice(0, 100);
}
