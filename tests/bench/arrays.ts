/**
 * Publishing arrays, and many publishers at once, against a program that does only what publishing
 * cannot do without.
 *
 * @module
 */
import { publish, type UpdateInput } from "@feedsync/feedsync";
import { barePublisher } from "./bare/publisher.ts";
import { bareStore } from "./bare/store.ts";
import { interleave, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { atMostTimes, type Row } from "./rows.ts";
import { samples } from "./sample.ts";

const LENGTH = 1000;

export async function* arrays(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket();
  await using server = await place.server("publisher", bucket);
  using bare = barePublisher(bareStore(bucket), place.stateFile());
  const published = (work: (updates: readonly UpdateInput[]) => Promise<unknown>) => async () => {
    const updates = samples(LENGTH);
    return await timed(() => work(updates)) / LENGTH * 1000;
  };
  const { value, limit } = await interleave({
    value: published((updates) => publish(server.sync, updates)),
    limit: published((updates) => bare.publish(updates)),
  }, { rounds: 8, warmUp: 2, block: 8 });
  yield atMostTimes(place.isDirectory ? 2.0 : 2.4, {
    name: `arrays of ${LENGTH.toLocaleString("en")} updates, 1 KB, each`,
    ...{ value, unit: "µs", limit },
  });
}
