/** What a seed may have, and how it is told. */
const KINDS = {
  fetches: "feeds were fetched",
  conditional: "of the requests were conditional",
  early: "came too early, as is excused after faults",
  holds: "publishers asked to wait",
  clean: "servers came or went while all was well, and nothing was fetched twice",
  changes: "things went wrong, or changed",
} as const;

/** How much has happened. */
export type FleetCoverage = Record<keyof typeof KINDS, number>;

const NAMES = Object.keys(KINDS) as (keyof FleetCoverage)[];

/** Nothing has happened. */
export function noFleetCoverage(): FleetCoverage {
  return { fetches: 0, conditional: 0, early: 0, holds: 0, clean: 0, changes: 0 };
}

/** How much has happened in many seeds, and in how many of them. */
export class TotalFleetCoverage {
  readonly #times = noFleetCoverage();
  readonly #seeds = noFleetCoverage();

  /** A seed has ended. */
  add(coverage: FleetCoverage): void {
    for (const name of NAMES) {
      this.#times[name] += coverage[name];
      this.#seeds[name] += Number(coverage[name] > 0);
    }
  }

  /** What to print. */
  lines(): string[] {
    return NAMES.map((name) =>
      `${this.#times[name]} ${KINDS[name]}, in ${this.#seeds[name]} seeds`
    );
  }
}
