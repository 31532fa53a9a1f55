/**
 * Catching up on many updates, against reading the same objects.
 *
 * @module
 */
import { watch } from "@feedsync/feedsync";
import { Semaphore } from "../../lib/base/semaphore.ts";
import type { ObjectStore } from "../../lib/stores/store.ts";
import { median, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { atLeast, type Row } from "./rows.ts";

const UPDATES = 100_000;
const RUNS = 3;
/** A stream is read by so many requests at once. */
const PARALLEL_GETS = 4;

export async function* catchUp(place: Place): AsyncIterable<Row> {
  const times: number[] = [], bareTimes: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const bucket = await place.filled(UPDATES);
    await using server = await place.server("reader", bucket);
    let applied = 0;
    await using watcher = watch(server.sync, () => void applied++, { manual: true });
    await watcher.ready;
    times.push(await timed(() => watcher.poll()));
    if (applied !== UPDATES) throw new Error(`Applied ${applied} updates in place of ${UPDATES}`);
    bareTimes.push(await timed(() => readAll(server.store)));
  }
  yield atLeast(60_000, {
    name: `catching up on ${UPDATES.toLocaleString("en")} updates, 1 KB`,
    value: UPDATES / median(times) * 1000,
    unit: "updates/s",
    limit: UPDATES / median(bareTimes) * 1000,
  });
}

async function readAll(store: ObjectStore): Promise<void> {
  const requests = new Semaphore(PARALLEL_GETS);
  const objects = await Array.fromAsync(store.list(""));
  await Promise.all(objects.map(({ key }) => requests.low.run(() => store.get(key))));
}
