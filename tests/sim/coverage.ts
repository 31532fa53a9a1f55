/** What a seed may have, and how it is told. */
const KINDS = {
  carried: "updates were carried",
  joins: "servers joined when the log held the newest update of some feed no more",
  consumerGaps: "times a consumer was told that it misses something",
  restored: "times a plugin got a restored update",
} as const;

/** How much has happened of what does not happen in every seed. */
export type Coverage = Record<keyof typeof KINDS, number>;

const NAMES = Object.keys(KINDS) as (keyof Coverage)[];

/** Nothing has happened. */
export function noCoverage(): Coverage {
  return { carried: 0, joins: 0, consumerGaps: 0, restored: 0 };
}

/** How much has happened in many seeds, and in how many of them. */
export class TotalCoverage {
  readonly #times = noCoverage();
  readonly #seeds = noCoverage();

  /** A seed has ended. */
  add(coverage: Coverage): void {
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
