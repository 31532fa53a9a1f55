/**
 * A poll that finds nothing new, against a listing of the same keys.
 *
 * @module
 */
import { watch } from "@feedsync/feedsync";
import { bareStore } from "./bare/store.ts";
import { interleave, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { atMost, atMostTimes, type Row } from "./rows.ts";

export async function* poll(place: Place): AsyncIterable<Row> {
  for (const updates of [100, 100_000]) yield* pollWith(updates, place);
}

async function* pollWith(updates: number, place: Place): AsyncIterable<Row> {
  const name = `poll, nothing new, ${updates.toLocaleString("en")} updates in the bucket`;
  const bucket = await place.filled(updates), bare = bareStore(bucket);
  await using server = await place.server("reader", bucket);
  const { sync } = server;
  await using watcher = watch(sync, () => {}, { manual: true });
  await watcher.poll();

  const before = { ...sync.requests };
  await watcher.poll();
  const { put, get, list } = sync.requests;
  const requests = put + get + list - before.put - before.get - before.list;
  yield atMost(1, { name, value: requests, unit: "requests" });

  const { polled, listed } = await interleave({
    polled: () => timed(() => watcher.poll()),
    listed: () => timed(() => bare.list("tail/")),
  }, { rounds: 500, warmUp: 100 });
  yield atMostTimes(1.9, { name, value: polled, unit: "ms", limit: listed });
}
