/**
 * Rules that several sections of the configuration share.
 *
 * @module
 */
import * as z from "zod";
import { DURATION, type Duration, DURATION_RULE, parseDuration } from "../base/duration.ts";
import { ConfigError } from "../errors.ts";

/** Maximum duration of a timer: longer ones would fire at once. */
const MAX_TIMER = "24d";

/** Any text that is not empty. */
export const text: z.ZodString = z.string().min(1, { error: "must not be empty" });

/** An optional key with the description and the default that editors show. */
export function key<S extends z.ZodType>(
  schema: S,
  description: string,
  byDefault?: unknown,
): z.ZodOptional<S> {
  const fallback = byDefault === undefined ? {} : { default: byDefault };
  return schema.optional().meta({ description, ...fallback });
}

/** A duration from `min` to `max`. */
export function duration({ min = "0ms", max = MAX_TIMER } = {}): z.ZodType<Duration> {
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

/** Whether the value is a URL that requests can be sent to. */
export function isEndpoint(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password;
}

/** A URL that requests can be sent to. */
export const endpoint: z.ZodString = text.refine(isEndpoint, {
  error: "must be an http:// or https:// URL without credentials",
});

/** The error for a missing key that another key requires. */
export function missing(key: string, reason: string): ConfigError {
  return new ConfigError(`Cannot use the configuration: '${key}' is missing, ${reason}`);
}
