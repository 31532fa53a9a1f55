/**
 * The simulator: the real code around a simulated store, in virtual time, with seeded faults. In the
 * world of the log servers publish, read and clean up; in that of the fleet they take turns.
 *
 * ```text
 * deno task sim [--seeds N] [--from S] [--workers W]     simulate N seeds, and a part of that of the fleet
 * deno task sim --world log|fleet ...                     of one world only
 * deno task sim --world W --focus NAME ...                more of what is so named, see mix.ts
 * deno task sim --world W --from S --trace                replay one seed, with all that happens
 * deno task sim --mutants [NAME]... [--seeds N]           break each rule; each must be caught
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Campaign, runCampaign, type WorldName } from "./campaign.ts";
import { Count } from "./count.ts";
import { LOG_KINDS, TotalCoverage } from "./coverage.ts";
import { FLEET_MUTANTS } from "./fleet/mutants.ts";
import { FLEET_KINDS } from "./fleet/coverage.ts";
import { hunt } from "./hunt.ts";
import { MUTANTS } from "./mutants.ts";
import { simulateSeed } from "./seeds.ts";

/** Beside so many seeds of the log there is one of the fleet, which takes longer. */
const LOG_SEEDS_PER_FLEET_SEED = 4;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      world: { type: "string" },
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
  const world = values.world === undefined ? undefined : worldNamed(values.world);
  const focus = values.focus ?? [];
  if (values.trace) return await replay(world ?? "log", { seed: from, focus });
  if (values.mutants) return await huntAll(positionals, { world, from, workers, seeds });
  let code = 0;
  if (world !== "fleet") code = await simulateLog({ world: "log", from, workers, focus, seeds });
  if (world === "log") return code;
  const part = world ? seeds : Math.ceil(seeds / LOG_SEEDS_PER_FLEET_SEED);
  return await simulateFleet({ world: "fleet", from, workers, focus, seeds: part }) || code;
}

function worldNamed(name: string): WorldName {
  if (name === "log" || name === "fleet") return name;
  throw new RangeError(`--world must be "log" or "fleet": current value is ${name}`);
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`${flag} must be a positive integer: current value is ${text}`);
}

async function replay(
  world: WorldName,
  { seed, focus }: { readonly seed: number; readonly focus: readonly string[] },
): Promise<number> {
  const trace = (line: string) => console.log(line);
  const { steps, violation } = await simulateSeed(world, { seed, focus, trace });
  console.log(
    violation ? `Seed ${seed} breaks a promise: ${violation}` : `${steps} steps, all well`,
  );
  return violation ? 1 : 0;
}

async function simulateLog(campaign: Campaign<"log">): Promise<number> {
  const count = new Count(campaign), total = new TotalCoverage(LOG_KINDS);
  let outside = 0;
  for await (const outcome of runCampaign(campaign)) {
    count.add(outcome);
    outside += outcome.outside > 0 ? 1 : 0;
    total.add(outcome.coverage);
  }
  count.print();
  console.log(`${outside} seeds had updates that are outside of the promise`);
  for (const line of total.lines()) console.log(line);
  return count.broken > 0 ? 1 : 0;
}

async function simulateFleet(campaign: Campaign<"fleet">): Promise<number> {
  const count = new Count(campaign), total = new TotalCoverage(FLEET_KINDS);
  for await (const outcome of runCampaign(campaign)) {
    count.add(outcome);
    total.add(outcome.coverage);
  }
  count.print();
  for (const line of total.lines()) console.log(line);
  return count.broken > 0 ? 1 : 0;
}

async function huntAll(
  names: readonly string[],
  { world, ...options }: {
    world: WorldName | undefined;
    from: number;
    seeds: number;
    workers: number;
  },
): Promise<number> {
  const start = performance.now();
  const wanted = [...MUTANTS, ...FLEET_MUTANTS].filter((mutant) =>
    (world === undefined || mutant.world === world) &&
    (names.length === 0 || names.some((part) => mutant.name.includes(part)))
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
