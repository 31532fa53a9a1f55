/**
 * From publishing on one server to applying on another, which polls right then, against PUT, LIST
 * and GET.
 *
 * @module
 */
import { publish, watch } from "@feedsync/feedsync";
import { drain, interleave, timed } from "./measure.ts";
import { newestCommit, type Place } from "./place.ts";
import { atMostTimes, type Row } from "./rows.ts";
import { sampleUpdate } from "./sample.ts";

export async function* propagation(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket();
  await using publisher = await place.server("publisher", bucket);
  await using reader = await place.server("reader", bucket);
  let applied = 0;
  await using watcher = watch(reader.sync, () => void (applied = performance.now()), {
    manual: true,
  });

  const synchronized = async () => {
    const update = sampleUpdate();
    const start = performance.now();
    await publish(publisher.sync, update);
    const { applied: count } = await watcher.poll();
    if (count !== 1) throw new Error(`Applied ${count} updates in place of 1`);
    return applied - start;
  };
  await synchronized();
  const { body } = await newestCommit(publisher.store);
  let puts = 0;
  const requested = () =>
    timed(async () => {
      const key = `bare/${++puts}`;
      await publisher.store.put(key, body);
      await drain(reader.store.list("tail/"));
      await reader.store.get(key);
    });

  const { feedsync, bare } = await interleave({ feedsync: synchronized, bare: requested }, {
    rounds: 25,
    warmUp: 5,
    block: 16,
  });
  const name = "published until applied elsewhere, 1 KB";
  yield atMostTimes(1.4, { name, value: feedsync, unit: "ms", limit: bare });
}
