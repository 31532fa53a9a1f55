/**
 * From publishing on one server to applying on others that are its peers, against the PUT alone: what
 * reads from the store must pay for that and a GET at least.
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

/** How many servers are told, and what must be reached. */
const SUBSCRIBERS = [[1, 1.35], [3, 1.5]] as const;

export async function* peers(place: Place): AsyncIterable<Row> {
  for (const [count, most] of SUBSCRIBERS) {
    const who = count === 1 ? "a peer has" : `${count} peers have`;
    const name = `published until ${who} applied it, 1 KB`;
    yield atMostTimes(most, { name, unit: "ms", ...await propagation(place, count) });
  }
}

async function propagation(
  place: Place,
  count: number,
): Promise<{ value: number; limit: number }> {
  await using ends = new AsyncDisposableStack();
  const bucket = place.bucket();
  let applied = Promise.withResolvers<void>(), left = count;
  const onUpdate = () => void (--left === 0 && applied.resolve());
  const addresses = await Promise.all(Array.from({ length: count }, async (_, index) => {
    const listen = freeAddress();
    const config = { wake: { secret: SECRET, listen }, poll: "1h" };
    const reader = ends.use(await place.server(`reader-${index + 1}`, bucket, config));
    await ends.use(watch(reader.sync, onUpdate)).ready;
    return `http://${listen}`;
  }));
  const wake = { secret: SECRET, peers: addresses };
  const publisher = ends.use(await place.server("publisher", bucket, { wake }));

  const tell = async () => {
    const update = sampleUpdate();
    applied = Promise.withResolvers();
    left = count;
    const start = performance.now();
    const published = publish(publisher.sync, update);
    await applied.promise;
    const time = performance.now() - start;
    await published;
    return time;
  };
  await tell();
  const { body } = await newestCommit(publisher.store);
  let puts = 0;
  return await interleave({
    value: tell,
    limit: () => timed(() => publisher.store.put(`bare/${++puts}`, body)),
  }, { rounds: 25, warmUp: 5, block: 24 });
}
