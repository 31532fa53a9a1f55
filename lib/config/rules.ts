/**
 * Rules that several sections of the configuration share. They use zod/mini: every command
 * makes them all when it starts, and zod itself takes twice as long to load and to make them.
 *
 * @module
 */
import * as z from "zod/mini";
import { DURATION, type Duration, DURATION_RULE, parseDuration } from "../base/duration.ts";
import { ConfigError } from "../errors.ts";

/** Maximum duration of a timer: longer ones would fire at once. */
const MAX_TIMER = "24d";

/** Any text that is not empty. */
export const text: z.ZodMiniString = z.string().check(
  z.minLength(1, { error: "must not be empty" }),
);

/** An optional key with the description and the default that editors show. */
export function key<S extends z.ZodMiniType>(
  schema: S,
  description: string,
  byDefault?: unknown,
): z.ZodMiniOptional<S> {
  const fallback = byDefault === undefined ? {} : { default: byDefault };
  const optional = z.optional(schema);
  z.globalRegistry.add(optional, { description, ...fallback });
  return optional;
}

/** A duration from `min` to `max`. */
export function duration({ min = "0ms", max = MAX_TIMER } = {}): z.ZodMiniType<Duration> {
  const either = z.union([
    z.string().check(z.regex(DURATION, { abort: true })),
    z.number().check(z.nonnegative({ abort: true })),
  ], { error: DURATION_RULE });
  return either.check(
    z.refine((value) => parseDuration(value) >= parseDuration(min), {
      error: `must be at least "${min}" (a number is milliseconds)`,
    }),
    z.refine((value) => parseDuration(value) <= parseDuration(max), {
      error: `must be at most "${max}"`,
    }),
  );
}

/** A whole number from 1 to `max`. */
export function wholeNumber(max: number): z.ZodMiniNumber {
  const error = `must be a whole number from 1 to ${max}`;
  return z.number({ error }).check(
    z.int({ error, abort: true }),
    z.minimum(1, { error }),
    z.maximum(max, { error }),
  );
}

/** Whether the value is a URL that requests can be sent to. */
export function isEndpoint(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password;
}

/** A URL that requests can be sent to. */
export const endpoint: z.ZodMiniString = text.check(
  z.refine(isEndpoint, { error: "must be an http:// or https:// URL without credentials" }),
);

/** The error for a missing key that another key requires. */
export function missing(key: string, reason: string): ConfigError {
  return new ConfigError(`Cannot use the configuration: '${key}' is missing, ${reason}`);
}
