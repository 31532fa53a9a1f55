/**
 * What is kept for good: restoring it, against the same requests made bare, and what it takes to keep it and to
 * look at a feed.
 *
 * @module
 */
import { newest, publish, type RequestCounts, watch } from "@feedsync/feedsync";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { connectionOf } from "../../lib/connection.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { updateLine } from "../../lib/log/codec.ts";
import { objectName } from "../../lib/log/names.ts";
import { asSeq, plus, type Seq } from "../../lib/log/positions.ts";
import { cleanUp, problemsOf } from "../../lib/retention/clean_up.ts";
import { openStore } from "../../lib/stores/open.ts";
import type { ObjectStore } from "../../lib/stores/store.ts";
import { AgedStore } from "./aged_store.ts";
import { counted, drain, interleave, median, timed } from "./measure.ts";
import type { Place, Server } from "./place.ts";
import { startProgram } from "./program.ts";
import { atMost, atMostTimes, type Row, told } from "./rows.ts";
import { randomText } from "./sample.ts";
import type { StoreAddress } from "./store.ts";

const FEEDS = 10_000, FEED_CHARACTERS = 10 * 1024;
const STREAM = "publisher_abcdefgh", WRITER = "ijklmnop";
const DAY = 24 * 60 * 60 * 1000, MB = 1e6;

/** How often a bucket is restored, and how many requests run at once when it is read bare. */
const RUNS = 3, PARALLEL = 32;

export async function* newestUpdates(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket();
  await fill(bucket);
  yield* restoring(place, bucket);
  yield* memory(place, bucket);
  await using reader = await place.server("reader", bucket);
  yield* restoringAgain(reader);
  await using publisher = await place.server("publisher", bucket);
  yield* looking(reader, publisher);
  yield* cleaningUp(place);
}

async function* restoring(place: Place, bucket: StoreAddress): AsyncIterable<Row> {
  const times: number[] = [], bareTimes: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    await using server = await place.server("reader", bucket);
    let restored = 0;
    await using watcher = watch(server.sync, () => void restored++, { manual: true });
    await watcher.ready;
    times.push(await timed(() => watcher.poll()) / 1000);
    if (restored !== FEEDS) throw new Error(`Restored ${restored} feeds in place of ${FEEDS}`);
    bareTimes.push(await timed(() => readAll(server.store)) / 1000);
  }
  yield atMostTimes(1.5, {
    name: `a new server, ${inWords(FEEDS)} feeds of 10 KB, until complete`,
    value: median(times),
    unit: "s",
    limit: median(bareTimes),
  });
}

/** Restores where everything is there already. */
async function* restoringAgain({ sync, store }: Server): AsyncIterable<Row> {
  await using watcher = watch(sync, () => {}, { manual: true });
  await watcher.poll();
  const again = async () => {
    connectionOf(sync).parts!.state.restoring.require();
    await watcher.poll();
  };
  const name = `restoring again, ${inWords(FEEDS)} feeds, nothing missing`;
  const { list, ...others } = await counted(sync.requests, again);
  yield told({ name, value: list, unit: "LIST" });
  yield atMost(0, { name, value: sum(others), unit: "other" });
  const listAll = async () => {
    await drain(store.list("tail/"));
    await drain(store.list("newest/"));
  };
  const { restored, listed } = await interleave({
    restored: () => timed(again),
    listed: () => timed(listAll),
  }, { rounds: 15, warmUp: 3 });
  yield atMostTimes(1.5, { name, value: restored, unit: "ms", limit: listed });
}

/** The most memory that a watcher takes: bytes. */
export interface RestoreReading {
  /** While it polls an empty bucket. */
  readonly idle: number;
  /** While it restores. */
  readonly restoring: number;
}

async function* memory(place: Place, bucket: StoreAddress): AsyncIterable<Row> {
  await using running = startProgram("restoring.ts", {
    idle: { ...place.bucket(), state: place.stateFile() },
    full: { ...bucket, state: place.stateFile() },
  });
  const { value } = await running.lines.next();
  const { idle, restoring }: RestoreReading = JSON.parse(value);
  yield atMostTimes(1.3, {
    name: `memory while restoring ${inWords(FEEDS)} feeds, against idle polls`,
    value: restoring / MB,
    unit: "MB",
    limit: idle / MB,
  });
}

/** Looks at a feed that is in the log, and at one that is kept for good. */
async function* looking(reader: Server, publisher: Server): AsyncIterable<Row> {
  await using watcher = watch(reader.sync, () => {}, { manual: true });
  await publish(publisher.sync, { url: urlOf(FEEDS), content: randomText(FEED_CHARACTERS) });
  await watcher.poll();
  for (const [where, index] of [["in the log", FEEDS], ["kept for good", 0]] as const) {
    const requests = await counted(reader.sync.requests, async () => {
      const update = await newest(reader.sync, urlOf(index));
      if (update === undefined) throw new Error(`There is no feed ${urlOf(index)}`);
    });
    const name = `get of a feed that is ${where}, the state is current`;
    yield atMost(3, { name, value: sum(requests), unit: "requests" });
  }
}

/** One segment has expired, and all its updates are superseded by some that have not. */
async function* cleaningUp(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket(), feeds = 25;
  const isOld = (key: string) => key.startsWith("segments/");
  await using store = new AgedStore(await openStore(bucket.url, bucket.s3), {
    isOld,
    byMs: 2 * DAY,
  });
  const log = new BucketLog(store, { environment: systemEnvironment });
  const write = async (kind: "segments" | "tail", first: Seq, time: number) => {
    const last = plus(first, feeds - 1);
    const lines = Array.from(
      { length: feeds },
      (_, index) => lineOf(index, plus(first, index), time),
    );
    const name = objectName({ kind, stream: STREAM, first, last, writer: WRITER });
    await log.write(name, log.pack(name, lines));
  };
  await write("segments", asSeq(1), Date.now() - 2 * DAY);
  await write("tail", asSeq(1 + feeds), Date.now());
  await using reader = await place.server("reader", bucket);
  await using watcher = watch(reader.sync, () => {}, { manual: true });
  await watcher.poll();
  const { state } = connectionOf(reader.sync).parts!;
  const { get, delete: deletes, put, list } = await counted(store.requests, async () => {
    const known = (url: string) => state.newest.get(url);
    const problems = problemsOf(systemEnvironment);
    const { deleted, carried } = await cleanUp(log, { maxAge: DAY, known, problems });
    if (deleted !== 1 || carried !== 0) throw new Error(`Deleted ${deleted}, carried ${carried}`);
  });
  const name = "cleaning up a segment of 256 KiB, all superseded";
  yield told({ name, value: list, unit: "LIST" });
  yield atMost(1, { name, value: get, unit: "GET" });
  yield atMost(1, { name, value: deletes, unit: "DELETE" });
  yield atMost(0, { name, value: put, unit: "PUT" });
}

/** Keeps updates for good, as if they had been carried there from a log that has expired. */
async function fill({ url, s3 }: StoreAddress): Promise<void> {
  await using store = await openStore(url, s3);
  const log = new BucketLog(store, { environment: systemEnvironment });
  const time = new Date(Date.now() - 30 * DAY).toISOString();
  await atOnce(Array(FEEDS).keys(), async (index) => {
    await log.newest.write({
      id: crypto.randomUUID(),
      url: urlOf(index),
      time,
      content: randomText(FEED_CHARACTERS),
      metadata: {},
      stream: STREAM,
      seq: asSeq(index + 1),
    });
  });
}

async function readAll(store: ObjectStore): Promise<void> {
  const objects = await Array.fromAsync(store.list("newest/"));
  await atOnce(objects.values(), async ({ key }) => void await store.get(key));
}

async function atOnce<T>(items: Iterator<T>, work: (item: T) => Promise<void>): Promise<void> {
  const worker = async () => {
    for (let next = items.next(); !next.done; next = items.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

function lineOf(feed: number, seq: Seq, time: number): string {
  const body = `"content":${JSON.stringify(randomText(FEED_CHARACTERS))},"metadata":{}`;
  return updateLine({ id: crypto.randomUUID(), url: urlOf(feed), time, body }, seq);
}

function urlOf(index: number): string {
  return `https://feeds.example.com/newest/${index}/feed.xml`;
}

function sum(requests: Partial<RequestCounts>): number {
  return Object.values(requests).reduce((total, count) => total + count, 0);
}

function inWords(count: number): string {
  return count.toLocaleString("en");
}
