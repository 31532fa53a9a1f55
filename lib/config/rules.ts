/**
 * Rules that several keys of the configuration have in common.
 *
 * @module
 */
import { z } from "zod";
import { DURATION, DURATION_RULE, parseDuration } from "../base/duration.ts";
import type { Duration } from "./config.ts";

/** Longer timers would fire at once. */
const LONGEST_TIMER = "24d";

/** Any text but none. */
export const text: z.ZodString = z.string().min(1, { error: "must not be empty" });

/** An optional key with what editors show about it. */
export function key<S extends z.ZodType>(
  schema: S,
  description: string,
  byDefault?: unknown,
): z.ZodOptional<S> {
  const fallback = byDefault === undefined ? {} : { default: byDefault };
  return schema.optional().meta({ description, ...fallback });
}

/** A duration from `min` to `max`. */
export function duration({ min = "0ms", max = LONGEST_TIMER } = {}): z.ZodType<Duration> {
  const either = z.union([
    z.string().regex(DURATION, { abort: true }),
    z.number().nonnegative({ abort: true }),
  ], { error: DURATION_RULE });
  return either
    .refine((value) => parseDuration(value) >= parseDuration(min), {
      error: `must be at least "${min}" (a number is milliseconds)`,
    })
    .refine((value) => parseDuration(value) <= parseDuration(max), {
      error: `must be at most "${max}"`,
    });
}

/** Whether it is a URL that requests can be sent to. */
export function isEndpoint(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password;
}

/** A URL that requests can be sent to. */
export const endpoint: z.ZodString = text.refine(isEndpoint, {
  error: "must be an http:// or https:// URL without credentials",
});
