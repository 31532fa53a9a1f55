/**
 * The section `turns`: how this server takes turns at fetching feeds.
 *
 * @module
 */
import * as z from "zod/mini";
import { type Duration, parseDuration } from "../base/duration.ts";
import { duration, key, wholeNumber } from "./rules.ts";

/** How this server takes turns with others at fetching feeds. */
export interface TurnsConfig {
  /**
   * A feed that `due` was not asked about for so long is left to the others, at least `"1m"`.
   * @default twice the observed delay between asks, at least `"10m"`
   */
  readonly idle?: Duration | undefined;
  /** A domain with more feeds is shared by several servers; else one fetches all. @default {100} */
  readonly maxPerDomain?: number | undefined;
  /** Share of the feeds that this server takes in relation to others, 1 to 1000. @default {1} */
  readonly weight?: number | undefined;
}

/** A {@linkcode TurnsConfig} with everything filled in; durations are milliseconds. */
export interface ResolvedTurns {
  /** When a feed is left to the others; absent: it depends on the asks. */
  readonly idleMs: number | undefined;
  /** A domain with more feeds is shared by several servers. */
  readonly maxPerDomain: number;
  /** Share of the feeds that this server takes. */
  readonly weight: number;
}

const DEFAULTS = { maxPerDomain: 100, weight: 1 } as const satisfies TurnsConfig;

/** The rules of `turns`. */
export const turnsRule = z.strictObject({
  idle: key(
    duration({ min: "1m" }),
    "A feed that nobody asked about for so long is left to the others; twice the observed delay " +
      "between asks unless given",
  ),
  maxPerDomain: key(
    wholeNumber(1_000_000),
    "A domain with more feeds is shared by several servers",
    DEFAULTS.maxPerDomain,
  ),
  weight: key(
    wholeNumber(1000),
    "Share of the feeds that this server takes, in relation to others",
    DEFAULTS.weight,
  ),
});

/** Fills in the defaults. */
export function resolveTurns(
  { idle, maxPerDomain = DEFAULTS.maxPerDomain, weight = DEFAULTS.weight }: TurnsConfig = {},
): ResolvedTurns {
  const idleMs = idle === undefined ? undefined : parseDuration(idle);
  return { idleMs, maxPerDomain, weight };
}
