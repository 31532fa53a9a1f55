import type { Campaign } from "./campaign.ts";

/** Counts what becomes of seeds. */
export class Count {
  readonly #campaign: Campaign;
  readonly #start = performance.now();
  #seeds = 0;
  #steps = 0;
  #fewest = Infinity;
  /** Seeds that broke a promise. */
  broken = 0;

  /** Begins now. */
  constructor(campaign: Campaign) {
    this.#campaign = campaign;
  }

  /** A seed has ended. */
  add({ seed, steps, violation }: { seed: number; steps: number; violation: string | undefined }) {
    this.#seeds++;
    this.#steps += steps;
    this.#fewest = Math.min(this.#fewest, violation ? Infinity : steps);
    if (!violation) return;
    this.broken++;
    console.log(`Seed ${seed} breaks a promise: ${violation}`);
    console.log(`  ${replayCommand(seed, this.#campaign)}`);
  }

  /** Prints the numbers. */
  print(): void {
    const seconds = (performance.now() - this.#start) / 1000;
    const speed = `${(this.#seeds / seconds).toFixed(1)} seeds a second`;
    console.log(
      `${this.#seeds} seeds of the ${this.#campaign.world}, ${this.#steps} steps (at least ` +
        `${this.#fewest} a seed) in ${seconds.toFixed(0)} s`,
    );
    console.log(
      `${speed}, ${Math.round(this.#steps / seconds)} steps a second; ${this.broken} seeds broke ` +
        "a promise",
    );
  }
}

function replayCommand(seed: number, { world, focus }: Campaign): string {
  const names = focus.map((name) => `--focus ${name}`);
  return ["replay it: deno task sim --world", world, "--from", seed, "--trace", ...names].join(" ");
}
