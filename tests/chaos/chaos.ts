/**
 * Chaos: publishers and readers, as processes of their own, around a bucket of Ceph's gateway that
 * is reached through a proxy which disturbs requests. They are killed, the disk under a state is
 * filled, the clock of one of them is wrong, and all is encrypted with a key that changes. After
 * each round everything that was accepted must arrive, in order, and again only right after a kill. Then much
 * of the log expires, and a reader that was away meanwhile, and a new one, must end with the newest of each feed.
 *
 *     deno task chaos [--rounds N] [--seed N]
 *
 * Ceph is started where it is installed (`deno task test:ceph` installs it), unless
 * `FEEDSYNC_TEST_CEPH` names one that runs.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { Chance } from "../sim/chance.ts";
import type { Program } from "./program.ts";
import { runRound } from "./round.ts";
import { changeKey, prepareChaos, type Setting } from "./setting.ts";
import { Site } from "./site.ts";

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const { rounds, seed } = readArguments();
  console.log(`chaos: ${rounds} rounds, seed ${seed}`);
  const chance = new Chance(seed);
  await using site = await Site.prepare();
  const setting = await prepareChaos(site, chance, (reason) => console.log(`skipped: ${reason}`));
  const interrupted = new Promise<number>((resolve) =>
    Deno.addSignalListener("SIGINT", () => resolve(130))
  );
  return await Promise.race([interrupted, runRounds(setting, { chance, rounds, seed })]);
}

async function runRounds(
  setting: Setting,
  { chance, rounds, seed }: { chance: Chance; rounds: number; seed: number },
): Promise<number> {
  const { site, site: { ledger: { violations } } } = setting;
  const started = performance.now();
  let done = 0;
  while (done < rounds && violations.length === 0) {
    await changeKey(setting);
    await runRound(setting, chance);
    tellRound(++done, setting);
  }
  console.log(summary(setting, { done, seconds: (performance.now() - started) / 1000 }));
  if (violations.length === 0) return 0;
  tellViolations(site, seed);
  return 1;
}

function tellViolations(site: Site, seed: number): void {
  const { ledger: { violations }, directory } = site;
  site.isKept = true;
  console.error(`\nWrong, with seed ${seed}:`);
  for (const violation of violations.slice(0, 50)) console.error(`- ${violation}`);
  console.error(`Journal, states and bucket are in ${directory}`);
}

function tellRound(round: number, { weather, site }: Setting): void {
  const { ledger, publishers, readers } = site;
  const kills = killsOf([...publishers, ...readers]);
  const faults = [...weather.counts.values()].reduce((sum, count) => sum + count, 0);
  console.log(`round ${round}: ${ledger.accepted} accepted, ${kills} kills, ${faults} faults`);
}

function summary(
  { weather, site: { ledger, publishers, readers } }: Setting,
  { done, seconds }: { done: number; seconds: number },
): string {
  const faults = [...weather.counts].map(([fault, count]) => `${fault} ${count}`).join(", ");
  return `
rounds   ${done} in ${seconds.toFixed(0)} s
accepted ${ledger.accepted} updates, ${ledger.queued} of them while the store could not be reached
refused  ${ledger.refused} updates, the disk being full
arrived  ${ledger.arrived} at ${readers.length} readers; again, right after a kill: ${ledger.repeats}
kills    ${killsOf(publishers)} of publishers, ${killsOf(readers)} of readers
faults   ${faults}`;
}

function killsOf(servers: readonly { readonly program: Program }[]): number {
  return servers.reduce((sum, { program }) => sum + program.kills, 0);
}

function readArguments(): { rounds: number; seed: number } {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "20" },
      seed: { type: "string", default: String(crypto.getRandomValues(new Uint32Array(1))[0]) },
    },
  });
  const [rounds, seed] = [values.rounds, values.seed].map(Number);
  if (!Number.isSafeInteger(rounds) || rounds < 1) {
    throw new RangeError(`--rounds must be a positive integer: current value is ${values.rounds}`);
  }
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`--seed must be an integer: current value is ${values.seed}`);
  }
  return { rounds, seed };
}
