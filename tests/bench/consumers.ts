/**
 * Consumers of the inbox, in this process and through the local API: how long an update takes to one
 * that waits, and catching up, against a plugin that does nothing.
 *
 * @module
 */
import { type FeedSync, publish, watch } from "@feedsync/feedsync";
import { connectionOf } from "../../lib/connection.ts";
import { Consumers } from "../../lib/consumers/consumers.ts";
import { applyAll } from "./catch_up.ts";
import { API, startClient } from "./client.ts";
import { median, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { now } from "./rivals/clock.ts";
import { atLeastTimes, atMost, type Row } from "./rows.ts";
import { sampleUpdate } from "./sample.ts";

const UPDATES = 100_000;
const RUNS = 3;
/** The consumer acknowledges by the thousand. */
const LINES = 1000;
const LATENCIES = 200;

/** A consumer that is ready to read. */
interface Reader extends AsyncDisposable {
  /** Reads some lines, and acknowledges them. Returns how many, and when it had them. */
  read(): Promise<{ readonly lines: number; readonly at: number }>;
}

const READERS: Readonly<Record<string, (sync: FeedSync) => Promise<Reader>>> = {
  "a consumer": readHere,
  "a consumer over HTTP": readOverHttp,
};

export async function* consumers(place: Place): AsyncIterable<Row> {
  for (const [who, start] of Object.entries(READERS)) {
    const value = await latency(place, start);
    yield atMost(3, { name: `applied until ${who} has it, median`, value, unit: "ms" });
  }
  const pluginTimes: number[] = [];
  const times = new Map<string, number[]>(Object.keys(READERS).map((who) => [who, []]));
  for (let run = 0; run < RUNS; run++) {
    pluginTimes.push(await catchUp(place));
    for (const [who, start] of Object.entries(READERS)) {
      times.get(who)!.push(await catchUp(place, start));
    }
  }
  for (const [who, ofReader] of times) {
    yield atLeastTimes(0.4, {
      name: `${UPDATES.toLocaleString("en")} updates, 1 KB, to ${who}, against a plugin`,
      value: UPDATES / median(ofReader) * 1000,
      unit: "updates/s",
      limit: UPDATES / median(pluginTimes) * 1000,
    });
  }
}

/** Until all is applied, and read by a reader if there is one. */
async function catchUp(place: Place, start?: typeof READERS[string]): Promise<number> {
  const bucket = await place.filled(UPDATES);
  await using server = await place.server("reader", bucket, { api: API });
  await using reader = await start?.(server.sync);
  const applied = applyAll(server, UPDATES);
  const read = reader && timed(() => readAll(reader));
  return Math.max(await applied, await read ?? 0);
}

async function readAll(reader: Reader): Promise<void> {
  for (let seen = 0; seen < UPDATES;) seen += (await reader.read()).lines;
}

/** From the call of a plugin that does nothing to the reader. */
async function latency(place: Place, start: typeof READERS[string]): Promise<number> {
  const bucket = place.bucket();
  await using writer = await place.server("writer", bucket);
  await using server = await place.server("reader", bucket, { api: API });
  let appliedAt = 0;
  await using watcher = watch(server.sync, () => void (appliedAt = now()), { manual: true });
  await watcher.poll();
  await using reader = await start(server.sync);
  const latencies: number[] = [];
  for (let round = 0; round < LATENCIES; round++) {
    const waiting = reader.read();
    await publish(writer.sync, sampleUpdate());
    await watcher.poll();
    latencies.push(Math.max(0, (await waiting).at - appliedAt));
  }
  return median(latencies);
}

function readHere(sync: FeedSync): Promise<Reader> {
  const consumers = new Consumers(connectionOf(sync));
  consumers.put("reader", { from: "now" });
  return Promise.resolve({
    async read() {
      const lines = await consumers.read("reader", { limit: LINES, waitMs: 25_000 });
      const at = now();
      if (lines.length > 0) consumers.ack("reader", lines[lines.length - 1].cursor);
      return { lines: lines.length, at };
    },
    [Symbol.asyncDispose]: () => consumers.close(),
  });
}

async function readOverHttp(sync: FeedSync): Promise<Reader> {
  const client = await startClient(sync, "reader.ts");
  await client.next(); // It has made its consumer.
  return { read: () => client.next(), [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}
