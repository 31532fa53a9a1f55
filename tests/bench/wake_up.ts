/**
 * From the message of a peer to applying what is in it. The message is sent here as a peer would, so
 * that what sending takes is included.
 *
 * @module
 */
import { publish, watch } from "@feedsync/feedsync";
import { connectionOf } from "../../lib/connection.ts";
import { Peers } from "../../lib/wake/send/peers.ts";
import { freeAddress } from "../servers/ports.ts";
import { median } from "./measure.ts";
import type { Place } from "./place.ts";
import { atMost, type Row } from "./rows.ts";
import { sampleUpdate } from "./sample.ts";
import { SECRET } from "./secret.ts";

const ROUNDS = 500, WARM_UP = 100;

export async function* wakeUp(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket();
  const address = freeAddress();
  await using publisher = await place.server("publisher", bucket);
  await using reader = await place.server("reader", bucket, {
    wake: { secret: SECRET, listen: address },
    poll: "1h",
  });
  let applied = Promise.withResolvers<number>();
  await using watcher = watch(reader.sync, () => applied.resolve(performance.now()));
  await watcher.ready;
  await watcher.poll();

  const { log, uploader, environment } = connectionOf(publisher.sync).parts!;
  const peers = new Peers([`http://${address}`], {
    secret: SECRET,
    log,
    environment,
  });
  let send = () => {};
  uploader.onCommit.push(({ name: { key }, body }) => send = () => peers.send({ key, body }));

  const times: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    await publish(publisher.sync, sampleUpdate());
    applied = Promise.withResolvers();
    const start = performance.now();
    send();
    const time = await applied.promise - start;
    if (round >= 0) times.push(time);
  }
  await peers.close(0);
  const name = "a peer's wake-up alone, sent until applied, 1 KB";
  yield atMost(2, { name, value: median(times), unit: "ms" });
}
