/**
 * The simulator: publishers, readers and cleanups of the real code around a simulated store, in
 * virtual time, with seeded faults.
 *
 * ```text
 * deno task sim [--seeds N] [--from S] [--workers W]     simulate N seeds
 * deno task sim --focus NAME ...                          more of what is so named, see mix.ts
 * deno task sim --from S --trace                          replay one seed, with all that happens
 * deno task sim --mutants [NAME]... [--seeds N]           break each rule; each must be caught
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Campaign, runCampaign } from "./campaign.ts";
import { hunt } from "./hunt.ts";
import { type Focus, namesOf } from "./mix.ts";
import { MUTANTS } from "./mutants.ts";
import { TotalCoverage } from "./coverage.ts";
import { runSeed } from "./run_seed.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seeds: { type: "string" },
      from: { type: "string", default: "1" },
      workers: { type: "string", default: String(navigator.hardwareConcurrency) },
      focus: { type: "string", multiple: true },
      trace: { type: "boolean", default: false },
      mutants: { type: "boolean", default: false },
    },
  });
  const from = wholeNumber("--from", values.from);
  const workers = wholeNumber("--workers", values.workers);
  const seeds = wholeNumber("--seeds", values.seeds ?? (values.mutants ? "3000" : "1000"));
  const focus = namesOf(values.focus);
  if (values.trace) return await replay(from, focus);
  if (values.mutants) return await huntAll(positionals, { from, workers, seeds });
  return await simulate({ from, workers, focus, seeds });
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`${flag} must be a positive integer: current value is ${text}`);
}

async function replay(seed: number, focus: readonly Focus[]): Promise<number> {
  const { steps, violation } = await runSeed(seed, { trace: (line) => console.log(line), focus });
  console.log(
    violation ? `Seed ${seed} breaks a promise: ${violation}` : `${steps} steps, all well`,
  );
  return violation ? 1 : 0;
}

async function simulate(campaign: Campaign): Promise<number> {
  const start = performance.now();
  let seeds = 0, steps = 0, broken = 0, fewest = Infinity, outside = 0;
  const total = new TotalCoverage();
  for await (const outcome of runCampaign(campaign)) {
    seeds++;
    steps += outcome.steps;
    fewest = Math.min(fewest, outcome.violation ? Infinity : outcome.steps);
    outside += outcome.outside > 0 ? 1 : 0;
    total.add(outcome.coverage);
    if (!outcome.violation) continue;
    broken++;
    console.log(`Seed ${outcome.seed} breaks a promise: ${outcome.violation}`);
    console.log(`  ${replayCommand(outcome.seed, campaign.focus)}`);
  }
  const seconds = (performance.now() - start) / 1000;
  const speed = `${(seeds / seconds).toFixed(1)} seeds a second`;
  console.log(
    `${seeds} seeds, ${steps} steps (at least ${fewest} a seed) in ${seconds.toFixed(0)} s`,
  );
  console.log(
    `${speed}, ${Math.round(steps / seconds)} steps a second; ${broken} seeds broke a promise`,
  );
  console.log(`${outside} seeds had updates that are outside of the promise`);
  for (const line of total.lines()) console.log(line);
  return broken > 0 ? 1 : 0;
}

function replayCommand(seed: number, focus: readonly Focus[]): string {
  return [
    "replay it: deno task sim --from",
    seed,
    "--trace",
    ...focus.map((name) => `--focus ${name}`),
  ]
    .join(" ");
}

async function huntAll(
  names: readonly string[],
  options: { from: number; seeds: number; workers: number },
): Promise<number> {
  const start = performance.now();
  const wanted = MUTANTS.filter(({ name }) =>
    names.length === 0 || names.some((part) => name.includes(part))
  );
  let survivors = 0;
  for await (const { mutant, seeds, seed, violation } of hunt(wanted, options)) {
    if (seed === undefined) survivors++;
    console.log(
      seed === undefined
        ? `SURVIVED ${seeds} seeds: ${mutant.name}`
        : `caught at seed ${seed}: ${mutant.name}\n  ${violation}`,
    );
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${wanted.length - survivors} of ${wanted.length} mutants caught in ${seconds} s`);
  return survivors > 0 ? 1 : 0;
}
