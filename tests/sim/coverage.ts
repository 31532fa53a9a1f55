/** How much has happened in many seeds, and in how many of them. */
export class TotalCoverage<Kind extends string> {
  readonly #kinds: Readonly<Record<Kind, string>>;
  readonly #times: Record<Kind, number>;
  readonly #seeds: Record<Kind, number>;

  /** Nothing has happened; `kinds` says how each kind is told. */
  constructor(kinds: Readonly<Record<Kind, string>>) {
    this.#kinds = kinds;
    this.#times = nothingOf(kinds);
    this.#seeds = nothingOf(kinds);
  }

  /** A seed has ended. */
  add(coverage: Readonly<Record<Kind, number>>): void {
    for (const kind of this.#names()) {
      this.#times[kind] += coverage[kind];
      this.#seeds[kind] += Number(coverage[kind] > 0);
    }
  }

  /** What to print. */
  lines(): string[] {
    return this.#names().map((kind) =>
      `${this.#times[kind]} ${this.#kinds[kind]}, in ${this.#seeds[kind]} seeds`
    );
  }

  #names(): Kind[] {
    return Object.keys(this.#kinds) as Kind[];
  }
}

/** What a seed of the log may have, and how it is told. */
export const LOG_KINDS = {
  carried: "updates were carried",
  joins: "servers joined when the log held the newest update of some feed no more",
  consumerGaps: "times a consumer was told that it misses something",
  restored: "times a plugin got a restored update",
} as const;

/** How much has happened of what does not happen in every seed. */
export type Coverage = Record<keyof typeof LOG_KINDS, number>;

/** Nothing has happened. */
export function noCoverage(): Coverage {
  return nothingOf(LOG_KINDS);
}

/** A zero for each kind. */
export function nothingOf<Kind extends string>(
  kinds: Readonly<Record<Kind, string>>,
): Record<Kind, number> {
  const zeros = Object.keys(kinds).map((kind) => [kind, 0]);
  return Object.fromEntries(zeros) as Record<Kind, number>;
}
