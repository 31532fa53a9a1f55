/**
 * Durations as people write them.
 *
 * @module
 */

/** A duration: `"200ms"`, `"10s"`, `"1m"`, `"24h"`, `"7d"`, or a number of milliseconds. */
export type Duration = string | number;

/** What a duration looks like as text: a number and its unit. */
export const DURATION: RegExp = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** How to write one as text, for messages: a number alone would not say which unit it is in. */
const TEXT_RULE = 'must be a duration such as "200ms", "10s", "1m", "24h" or "7d"';

/** How to write one, for messages. */
export const DURATION_RULE: string = `${TEXT_RULE}, or a number of milliseconds`;

const UNITS: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Milliseconds of a duration: `"200ms"`, `"10s"`, `"1m"`, `"24h"`, `"7d"`, or a plain number, which
 * is milliseconds already.
 *
 * @example In the options of a plugin
 * ```ts
 * import { DURATION, DURATION_RULE, parseDuration } from "@feedsync/feedsync/plugin";
 * import assert from "node:assert/strict";
 * import * as z from "zod";
 *
 * const duration = z.union([z.number(), z.string().regex(DURATION, DURATION_RULE)], DURATION_RULE);
 * const options = z.strictObject({ timeout: duration.default("10s").transform(parseDuration) });
 * assert.deepEqual(options.parse({ timeout: "1m" }), { timeout: 60_000 });
 * ```
 *
 * @throws {RangeError} when `value` is neither, or negative.
 */
export function parseDuration(value: string | number): number {
  const ms = typeof value === "number" ? value : parseText(value);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const [rule, current] = typeof value === "string"
    ? [TEXT_RULE, JSON.stringify(value)]
    : [DURATION_RULE, value];
  throw new RangeError(`Cannot read a duration, it ${rule}: current value is ${current}`);
}

function parseText(text: string): number {
  const match = DURATION.exec(text);
  return match ? Number(match[1]) * UNITS[match[2]] : NaN;
}

/** A duration in its largest whole unit, such as `"24h"`, as {@linkcode parseDuration} reads it. */
export function formatDuration(ms: number): string {
  const units = Object.entries(UNITS).reverse();
  const [unit, size] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}
