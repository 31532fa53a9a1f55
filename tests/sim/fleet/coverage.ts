import { nothingOf } from "../coverage.ts";

/** What a seed of the fleet may have, and how it is told. */
export const FLEET_KINDS = {
  fetches: "feeds were fetched",
  conditional: "of the requests were conditional",
  early: "came too early, as is excused after faults",
  holds: "publishers asked to wait",
  clean: "servers came or went while all was well, and nothing was fetched twice",
  changes: "things went wrong, or changed",
} as const;

/** How much has happened. */
export type FleetCoverage = Record<keyof typeof FLEET_KINDS, number>;

/** Nothing has happened. */
export function noFleetCoverage(): FleetCoverage {
  return nothingOf(FLEET_KINDS);
}
