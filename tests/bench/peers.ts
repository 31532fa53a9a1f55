/**
 * From publishing on one server to applying on another that is its peer, against the PUT alone:
 * what reads from the store must pay for that and a GET at least.
 *
 * @module
 */
import { publish, watch } from "@feedsync/feedsync";
import { interleave, timed } from "./measure.ts";
import { newestCommit, type Place } from "./place.ts";
import { atMostTimes, type Row } from "./rows.ts";
import { freeAddress } from "../servers/ports.ts";
import { sampleUpdate } from "./sample.ts";
import { SECRET } from "./secret.ts";

export async function* peers(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket();
  const address = freeAddress();
  const told = { wake: { secret: SECRET, peers: [`http://${address}`] } };
  const listening = { wake: { secret: SECRET, listen: address }, poll: "1h" };
  await using publisher = await place.server("publisher", bucket, told);
  await using reader = await place.server("reader", bucket, listening);
  let applied = Promise.withResolvers<number>();
  await using watcher = watch(reader.sync, () => applied.resolve(performance.now()));
  await watcher.ready;

  const tell = async () => {
    const update = sampleUpdate();
    applied = Promise.withResolvers();
    const start = performance.now();
    const published = publish(publisher.sync, update);
    const time = await applied.promise - start;
    await published;
    return time;
  };
  await tell();
  const { body } = await newestCommit(publisher.store);
  let puts = 0;
  const { feedsync, bare } = await interleave({
    feedsync: tell,
    bare: () => timed(() => publisher.store.put(`bare/${++puts}`, body)),
  }, { rounds: 25, warmUp: 5, block: 24 });
  const name = "published until a peer has applied it, 1 KB";
  yield atMostTimes(1.35, { name, value: feedsync, unit: "ms", limit: bare });
}
