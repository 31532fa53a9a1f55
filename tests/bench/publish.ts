/**
 * Publishing one update after the other, against writing the same bytes.
 *
 * @module
 */
import { publish } from "@feedsync/feedsync";
import { bareStore } from "./bare/store.ts";
import { interleave, timed } from "./measure.ts";
import { newestCommit, type Place } from "./place.ts";
import { atMostTimes, type Row } from "./rows.ts";
import { sampleUpdate } from "./sample.ts";

export async function* publishing(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket(), bare = bareStore(bucket);
  await using server = await place.server("publisher", bucket);
  const { sync, store } = server;
  const publishOne = () => {
    const update = sampleUpdate();
    return timed(() => publish(sync, update));
  };
  await publishOne();
  const { body } = await newestCommit(store);
  let puts = 0;
  // In blocks, since what publishing leaves for later must meet publishing.
  const { published, put } = await interleave({
    published: publishOne,
    put: () => timed(() => bare.put(`bare/${++puts}`, body)),
  }, { rounds: 25, warmUp: 5, block: 24 });
  const name = "publish, one at a time, 1 KB";
  yield atMostTimes(1.6, { name, value: published, unit: "ms", limit: put });
}
