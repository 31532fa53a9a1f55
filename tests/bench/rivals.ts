/**
 * Compares feedsync with what one could take in its place, on this machine, in one run; then what
 * feedsync must reach beside it.
 *
 *     deno task bench:peers [--only NAME]...
 *
 * @module
 */
import { parseArgs } from "node:util";
import { barePosts } from "./bare_posts.ts";
import { idleServers } from "./idle_servers.ts";
import { median } from "./measure.ts";
import { Place } from "./place.ts";
import { compare } from "./rivals/compare.ts";
import { CONTENDERS } from "./rivals/contenders.ts";
import { type Measured, type Result, resultTable } from "./rivals/result.ts";
import { atLeast, atMostTimes, type Row, table, told } from "./rows.ts";
import { findCeph } from "./store.ts";
import { wakeUp } from "./wake_up.ts";

/** What runs beside the contenders. */
const DUTIES = ["bare", "wake-up", "idle"];

const { only } = readArguments();
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stopping.abort());
}
const code = await main(stopping.signal).catch((error) => {
  if (!stopping.signal.aborted) throw error;
  return 130;
});
Deno.exit(code); // Listening for signals keeps it alive.

async function main(signal: AbortSignal): Promise<number> {
  await using ceph = await findCeph();
  await using place = ceph && new Place(ceph);
  const entrants = await findEntrants();
  console.log(header(entrants.map(({ version }) => version)));
  for (const { contender: { name, install }, version } of entrants) {
    if (version === undefined) console.error(`Not installed: ${name} (${install})`);
  }
  const results: Result[] = [], rows: Row[] = [];
  for (const { name, contender, version } of entrants) {
    progress(contender.name);
    const found = version === undefined
      ? "not installed"
      : await compare(name, contender, { place, signal }).catch((error) => {
        signal.throwIfAborted();
        console.error(`${contender.name}:`, error);
        return "failed";
      });
    results.push({ contender, found });
    if (name === "feedsync" && typeof found === "object") rows.push(...demanded(found));
  }
  if (results.length > 0) console.log(`${resultTable(results)}\n`);
  if (ceph && place) {
    for await (const row of duties(place, ceph.directory, signal)) {
      progress(row.name);
      rows.push(row);
    }
  }
  if (rows.length > 0) console.log(table(rows));
  return results.some(({ found }) => found === "failed") ? 1 : 0;
}

/** Those that are to run; without a version where they are not installed. */
async function findEntrants() {
  const names = Object.keys(CONTENDERS).filter((name) => only.includes(name));
  return await Promise.all(names.map(async (name) => {
    const contender = await CONTENDERS[name]();
    return { name, contender, version: await contender.version() };
  }));
}

/** What is demanded of feedsync with peers. */
function demanded({ applied, accepted, bare, throughput }: Measured): Row[] {
  const [value, stored, limit] = [applied, accepted, bare].map(median);
  return [
    atMostTimes(1.35, {
      name: "peers, published until applied elsewhere, 1 KB",
      value,
      unit: "ms",
      limit,
    }),
    told({ name: "  until it is in the bucket", value: stored, unit: "ms", limit }),
    atLeast(2000, {
      name: "peers, 64 publishers, 3 subscribers, 1 KB",
      value: throughput,
      unit: "updates/s",
    }),
  ];
}

async function* duties(
  place: Place,
  cephDirectory: string,
  signal: AbortSignal,
): AsyncIterable<Row> {
  if (only.includes("bare")) yield* barePosts(place);
  if (only.includes("wake-up")) yield* wakeUp(place);
  if (only.includes("idle")) yield* idleServers(place, { cephDirectory, signal });
}

function readArguments() {
  const all = [...Object.keys(CONTENDERS), ...DUTIES];
  const { values } = parseArgs({
    options: { only: { type: "string", multiple: true, default: all } },
  });
  const unknown = values.only.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    console.error(`Cannot run "${unknown}", there are ${all.join(", ")}`);
    Deno.exit(64);
  }
  return values;
}

function header(versions: readonly (string | undefined)[]): string {
  const parts = [
    `${navigator.hardwareConcurrency} cores (load ${Deno.loadavg()[0].toFixed(1)})`,
    `Deno ${Deno.version.deno}`,
    ...new Set(versions.filter((version) => version !== undefined)),
    new Date().toISOString().slice(0, 10),
  ];
  return `feedsync and others, ${parts.join(", ")}\n`;
}

function progress(text: string): void {
  if (Deno.stderr.isTerminal()) console.error(text);
}
