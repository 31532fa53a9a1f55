/**
 * Consumers of the inbox: how long an update takes to one that waits, and catching up, against a
 * plugin that does nothing.
 *
 * @module
 */
import { type FeedSync, publish, watch } from "@feedsync/feedsync";
import { connectionOf } from "../../lib/connection.ts";
import { Consumers } from "../../lib/consumers/consumers.ts";
import { median, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { atLeastTimes, atMost, type Row } from "./rows.ts";
import { sampleUpdate } from "./sample.ts";

const UPDATES = 100_000;
const RUNS = 3;
/** The consumer acknowledges by the thousand. */
const LINES = 1000;
const LATENCIES = 200;

export async function* consumers(place: Place): AsyncIterable<Row> {
  yield await latency(place);
  const times: number[] = [], pluginTimes: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    pluginTimes.push(await catchUp(place, () => Promise.resolve()));
    times.push(await catchUp(place, consume));
  }
  yield atLeastTimes(0.4, {
    name: `${UPDATES.toLocaleString("en")} updates, 1 KB, to a consumer, against a plugin`,
    value: UPDATES / median(times) * 1000,
    unit: "updates/s",
    limit: UPDATES / median(pluginTimes) * 1000,
  });
}

/** Polls until all is applied, while `beside` works. */
async function catchUp(
  place: Place,
  beside: (sync: FeedSync) => Promise<void>,
): Promise<number> {
  const bucket = await place.filled(UPDATES);
  await using server = await place.server("reader", bucket);
  await using watcher = watch(server.sync, () => {}, { manual: true });
  await watcher.ready;
  return await timed(() => Promise.all([beside(server.sync), watcher.poll()]));
}

async function consume(sync: FeedSync): Promise<void> {
  await using consumers = new Consumers(connectionOf(sync));
  consumers.put("reader", { from: "now" });
  for (let seen = 0; seen < UPDATES;) {
    const lines = await consumers.read("reader", { limit: LINES, waitMs: 25_000 });
    seen += lines.length;
    if (lines.length > 0) consumers.ack("reader", lines[lines.length - 1].cursor);
  }
}

/** From the call of a plugin that does nothing to the consumer. */
async function latency(place: Place): Promise<Row> {
  const bucket = place.bucket();
  await using writer = await place.server("writer", bucket);
  await using server = await place.server("reader", bucket);
  await using consumers = new Consumers(connectionOf(server.sync));
  let appliedAt = 0;
  await using watcher = watch(server.sync, () => void (appliedAt = performance.now()), {
    manual: true,
  });
  await watcher.poll();
  consumers.put("reader", { from: "now" });
  const latencies: number[] = [];
  for (let round = 0; round < LATENCIES; round++) {
    const waiting = consumers.read("reader", { waitMs: 25_000 });
    const arrived = waiting.then((lines) => ({ lines, at: performance.now() }));
    await publish(writer.sync, sampleUpdate());
    await watcher.poll();
    const { lines, at } = await arrived;
    latencies.push(Math.max(0, at - appliedAt));
    consumers.ack("reader", lines[lines.length - 1].cursor);
  }
  const value = median(latencies);
  return atMost(3, { name: "from applied to a waiting consumer, median", value, unit: "ms" });
}
