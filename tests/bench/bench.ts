/**
 * Measures how fast feedsync is, as ratios to what the store and Deno can do at all.
 *
 *     deno task bench [--only NAME]... [--store URL] [--json]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { localApi } from "./api.ts";
import { arrays } from "./arrays.ts";
import { catchUp } from "./catch_up.ts";
import { consumers } from "./consumers.ts";
import { concurrent } from "./concurrent.ts";
import { encryption } from "./encryption.ts";
import { help } from "./help.ts";
import { memory } from "./memory.ts";
import { newestUpdates } from "./newest.ts";
import { peers } from "./peers.ts";
import { Place } from "./place.ts";
import { poll } from "./poll.ts";
import { propagation } from "./propagation.ts";
import { publishing } from "./publish.ts";
import { publishingProcesses } from "./publishing_processes.ts";
import { requests } from "./requests.ts";
import { type Row, table } from "./rows.ts";
import { directoryStore, findStore } from "./store.ts";

const BENCHES: Readonly<Record<string, (place: Place) => AsyncIterable<Row>>> = {
  poll,
  publish: publishing,
  propagation,
  peers,
  arrays,
  concurrent,
  "catch-up": catchUp,
  consumers,
  encryption,
  memory,
  newest: newestUpdates,
  api: localApi,
  processes: publishingProcesses,
  help,
  requests,
};

/** What is measured in a directory, too. */
const IN_DIRECTORY = ["arrays", "concurrent", "catch-up", "processes"];

const options = readArguments();
await using ends = new AsyncDisposableStack();
const found = ends.use(await findStore(options.store));
const service = ends.use(new Place(found));
const directory = ends.use(new Place(ends.use(await directoryStore())));
const interrupted = Promise.withResolvers<number>();
Deno.addSignalListener("SIGINT", () => interrupted.resolve(130));

const work = run(options).then(() => 0);
const code = await Promise.race([work, interrupted.promise]);
work.catch(() => {}); // What it stands on is closed under its feet.
await ends.disposeAsync();
Deno.exit(code); // Listening for signals keeps it alive.

async function run({ only, json }: typeof options): Promise<void> {
  if (json) console.error(header());
  else console.log(header());
  const rows: Row[] = [];
  for (const name of only) {
    for (const place of IN_DIRECTORY.includes(name) ? [directory, service] : [service]) {
      for await (const found of BENCHES[name](place)) {
        const where = place === directory ? ", in a directory" : "";
        const row = { ...found, name: `${found.name}${where}` };
        rows.push(row);
        if (json) console.log(JSON.stringify(row));
        else if (Deno.stderr.isTerminal()) console.error(`${name}: ${row.name}`);
      }
      await place.clear();
    }
  }
  if (!json) console.log(table(rows));
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: Object.keys(BENCHES) },
      store: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const unknown = values.only.find((name) => !Object.hasOwn(BENCHES, name));
  if (unknown !== undefined) {
    console.error(`Cannot run "${unknown}", there are ${Object.keys(BENCHES).join(", ")}`);
    Deno.exit(64);
  }
  return values;
}

function header(): string {
  const cores = `${navigator.hardwareConcurrency} cores (load ${Deno.loadavg()[0].toFixed(1)})`;
  const date = new Date().toISOString().slice(0, 10);
  return `feedsync on ${found.name}, ${cores}, Deno ${Deno.version.deno}, ${date}\n`;
}
