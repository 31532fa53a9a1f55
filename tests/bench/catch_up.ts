/**
 * Catching up on many updates, against reading and parsing the same objects.
 *
 * @module
 */
import { watch } from "@feedsync/feedsync";
import { bareRead } from "./bare/reader.ts";
import { bareStore } from "./bare/store.ts";
import { interleave, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { atMostTimes, type Row } from "./rows.ts";

const UPDATES = 100_000;

export async function* catchUp(place: Place): AsyncIterable<Row> {
  const bucket = await place.filled(UPDATES), bare = bareStore(bucket);
  const keys = [...await bare.list("segments/"), ...await bare.list("tail/")];
  const { value, limit } = await interleave({
    async value() {
      await using server = await place.server("reader", bucket);
      let applied = 0;
      await using watcher = watch(server.sync, () => void applied++, { manual: true });
      await watcher.ready;
      const ms = await timed(() => watcher.poll());
      if (applied !== UPDATES) throw new Error(`Applied ${applied} updates in place of ${UPDATES}`);
      return ms / UPDATES * 1000;
    },
    limit: async () => await timed(() => bareRead(bare, keys)) / UPDATES * 1000,
  }, { rounds: 5, warmUp: 1 });
  yield atMostTimes(place.isDirectory ? 3.2 : 2.6, {
    name: `catching up on ${UPDATES.toLocaleString("en")} updates, 1 KB, each`,
    ...{ value, unit: "µs", limit },
  });
}
