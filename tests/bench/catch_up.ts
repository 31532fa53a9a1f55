/**
 * Catching up on many updates, against reading and parsing the same objects.
 *
 * @module
 */
import { watch } from "@feedsync/feedsync";
import { bareRead } from "./bare/reader.ts";
import { bareStore } from "./bare/store.ts";
import { interleave, timed } from "./measure.ts";
import type { Place, Server } from "./place.ts";
import { atMostTimes, type Row } from "./rows.ts";

const UPDATES = 100_000;

export async function* catchUp(place: Place): AsyncIterable<Row> {
  const bucket = await place.filled(UPDATES), bare = bareStore(bucket);
  const keys = [...await bare.list("segments/"), ...await bare.list("tail/")];
  const { value, limit } = await interleave({
    async value() {
      await using server = await place.server("reader", bucket);
      return await applyAll(server, UPDATES) / UPDATES * 1000;
    },
    limit: async () => await timed(() => bareRead(bare, keys)) / UPDATES * 1000,
  }, { rounds: 5, warmUp: 1 });
  yield atMostTimes(place.isDirectory ? 3.2 : 2.6, {
    name: `catching up on ${UPDATES.toLocaleString("en")} updates, 1 KB, each`,
    ...{ value, unit: "µs", limit },
  });
}

/**
 * Milliseconds until a new server has applied so many updates. Its first poll takes longer: it lists twice
 * what is kept for good, two seconds apart.
 */
export async function applyAll({ sync }: Server, updates: number): Promise<number> {
  const all = Promise.withResolvers<void>();
  let applied = 0;
  const onUpdate = () => void (++applied === updates && all.resolve());
  await using watcher = watch(sync, onUpdate, { manual: true });
  await watcher.ready;
  const polled = watcher.poll();
  const ms = await timed(() => Promise.race([all.promise, polled]));
  await polled;
  if (applied !== updates) throw new Error(`Applied ${applied} updates in place of ${updates}`);
  return ms;
}
