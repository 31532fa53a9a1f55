import { Connection } from "../../lib/connection.ts";
import { due } from "../../lib/due.ts";
import { median } from "../bench/measure.ts";
import { BucketView } from "./bucket.ts";
import { EVERY } from "./feeds.ts";
import type { World } from "./world.ts";

/** Calls that are measured. */
const CALLS = 11;

/** Measures calls of `due` at the end of a run, in real time: all requests have been made by then. */
export async function measureDue(world: World): Promise<{ warm: number; cold: number }> {
  const server = world.servers.find(({ process, isCron }) => process && !isCron)!;
  const { bucket, timeline, chance } = world, { clockErrorMs, config, state } = server;
  const cold: number[] = [], warm: number[] = [];
  const isAlive = () => true;
  for (let call = 0; call < CALLS; call++) {
    const view = new BucketView({
      ...{ bucket, timeline, chance, clockErrorMs, isAlive },
      count: () => {},
      isReachable: () => true,
    });
    const environment = server.environment(isAlive);
    const connection = new Connection(config, view, { environment, state });
    const ask = async () => {
      const begin = performance.now();
      const asking = due(connection, server.urls, { every: EVERY, limit: 0 });
      await settled(asking, world);
      return performance.now() - begin;
    };
    cold.push(await ask());
    warm.push(await ask());
  }
  return { cold: median(cold), warm: median(warm) };
}

async function settled(promise: Promise<unknown>, { timeline }: World): Promise<void> {
  let isSettled = false;
  promise.then(() => isSettled = true, () => isSettled = true);
  for (let turns = 0; turns < 20 && !isSettled; turns++) await Promise.resolve();
  while (!isSettled && await timeline.step());
  await promise;
}
