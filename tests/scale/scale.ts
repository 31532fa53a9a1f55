/**
 * A fleet that takes turns at fetching feeds, in virtual time with the real code: presences, owners,
 * handovers, `due` and `checked`. Servers crash, join, stop and are cut off, and the store has an
 * outage. Updates are not published meanwhile, so that nobody learns from them what was fetched: how
 * they spread is measured in a second fleet of the same size.
 *
 * ```text
 * deno task scale [N]... [--feeds F] [--hours H] [--seed S] [--pause SECONDS]
 * ```
 *
 * By default 10,000 feeds are fetched for a day. Memory and time grow with servers times feeds: a
 * hundred servers take 2 GB and about a minute for each hour.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { measureDue } from "./measure_due.ts";
import { measurePropagation } from "./measure_propagation.ts";
import { linesOf } from "./report.ts";
import { World } from "./world.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      feeds: { type: "string", default: "10000" },
      hours: { type: "string", default: "24" },
      pause: { type: "string" },
      seed: { type: "string", default: "1" },
    },
  });
  const sizes = positionals.length > 0 ? positionals : ["2", "10", "100"];
  let failures = 0;
  for (const servers of sizes.map((text) => positive("N", text))) {
    const setting = {
      servers,
      feeds: positive("--feeds", values.feeds),
      hours: positive("--hours", values.hours),
      seed: positive("--seed", values.seed),
      pauseMs: 1000 * positive("--pause", values.pause ?? (servers > 10 ? "60" : "5")),
    };
    const begin = process.cpuUsage();
    const world = new World(setting);
    await world.run();
    const { user, system } = process.cpuUsage(begin);
    const dueMs = await measureDue(world);
    const cpuSeconds = (user + system) / 1e6;
    const polling = await measurePropagation({ ...setting, poll: "10s", peers: false });
    const sending = await measurePropagation({ ...setting, poll: "5m", peers: true });
    const findings = { ...setting, world, cpuSeconds, dueMs, polling, sending };
    for (const line of linesOf(findings)) console.log(line);
    for (const failure of world.failures) console.log(failure);
    failures += world.failures.length;
  }
  return failures > 0 ? 1 : 0;
}

function positive(what: string, text: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new RangeError(`${what} must be a positive number: current value is ${text}`);
}
