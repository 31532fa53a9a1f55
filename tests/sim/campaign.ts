import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { FleetOutcome } from "./fleet/run_seed.ts";
import type { Outcome } from "./run_seed.ts";

/** What each world makes of a seed: that of the log, and that of servers that take turns. */
export interface Outcomes {
  readonly log: Outcome;
  readonly fleet: FleetOutcome;
}

/** What is simulated. */
export type WorldName = keyof Outcomes;

/** Which seeds to simulate. */
export interface Campaign<World extends WorldName = WorldName> {
  readonly world: World;
  readonly from: number;
  readonly seeds: number;
  /** Processes at once. */
  readonly workers: number;
  /** What is to happen often. */
  readonly focus: readonly string[];
}

/** The directory that holds `lib` and `tests`. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** Simulates the seeds in several processes; yields what became of each, in no order. */
export async function* runCampaign<World extends WorldName>(
  { world, from, seeds, workers, focus }: Campaign<World>,
): AsyncIterable<Outcomes[World]> {
  const outcomes: AsyncIterator<Outcomes[World]>[] = [];
  for (let worker = 0; worker < workers; worker++) {
    const count = Math.ceil((seeds - worker) / workers);
    const range = { world, from: from + worker, count, step: workers, focus };
    if (count > 0) outcomes.push(runSeeds(ROOT, range)[Symbol.asyncIterator]());
  }
  yield* merge(outcomes);
}

/** Simulates seeds with the code in `root`, in a process of its own. */
export async function* runSeeds<World extends WorldName>(
  root: string,
  { world, from, count, step, focus = [], stopAtViolation = false }: {
    world: World;
    from: number;
    count: number;
    step: number;
    focus?: readonly string[];
    stopAtViolation?: boolean;
  },
): AsyncIterable<Outcomes[World]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--config", `${root}/deno.json`, `${root}/tests/sim/seeds.ts`],
      ...["--world", world, "--from", from, "--count", count, "--step", step].map(String),
      ...focus.flatMap((name) => ["--focus", name]),
      ...(stopAtViolation ? ["--stop-at-violation"] : []),
    ],
    stdout: "piped",
  }).spawn();
  for await (const line of createInterface({ input: Readable.fromWeb(child.stdout) })) {
    yield JSON.parse(line);
  }
  const { success, code } = await child.status;
  if (!success) throw new Error(`The simulator ended with exit code ${code} at ${root}`);
}

/** What several iterators yield, as it comes. */
async function* merge<T>(iterators: readonly AsyncIterator<T>[]): AsyncIterable<T> {
  const next = new Map(iterators.map((iterator) => [iterator, advance(iterator)]));
  while (next.size > 0) {
    const { iterator, result } = await Promise.race(next.values());
    if (result.done) next.delete(iterator);
    else {
      next.set(iterator, advance(iterator));
      yield result.value;
    }
  }
}

async function advance<T>(iterator: AsyncIterator<T>) {
  return { iterator, result: await iterator.next() };
}
