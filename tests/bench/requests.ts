/**
 * What users pay for: requests.
 *
 * @module
 */
import { publish, type UpdateInput, watch } from "@feedsync/feedsync";
import { counted } from "./measure.ts";
import type { Place } from "./place.ts";
import { atMost, type Row } from "./rows.ts";
import { randomText, sampleUpdate } from "./sample.ts";

/** Commits that are counted: a multiple of 8, since that many are sealed at once. */
const COMMITS = 80;

export async function* requests(place: Place): AsyncIterable<Row> {
  yield* publishing(place);
  yield* polling(place);
  yield* catchingUp(place);
}

async function* publishing(place: Place): AsyncIterable<Row> {
  await using server = await place.server("publisher", place.bucket());
  const { sync } = server;
  const publishAll = async (sample: () => UpdateInput) => {
    for (let i = 0; i < COMMITS; i++) await publish(sync, sample());
  };
  await publishAll(sampleUpdate);
  const small = await counted(sync.requests, () => publishAll(sampleUpdate));
  yield atMost(1 + 1 / 8, row("publish 1 KB, a commit", small.put / COMMITS, "PUT"));
  yield atMost(1 / 8, row("publish 1 KB, a commit", small.list / COMMITS, "LIST"));
  const large = () => ({ ...sampleUpdate(), content: randomText(300 * 1024) });
  await publishAll(large);
  const { put } = await counted(sync.requests, () => publishAll(large));
  yield atMost(2, row("publish 300 KB, a commit", put / COMMITS, "PUT"));
}

async function* polling(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket();
  await using publisher = await place.server("publisher", bucket);
  await using reader = await place.server("reader", bucket);
  await using watcher = watch(reader.sync, () => {}, { manual: true });
  await publish(publisher.sync, sampleUpdate());
  await watcher.poll();
  const nothing = await counted(reader.sync.requests, () => watcher.poll());
  yield atMost(1, row("poll, nothing new", nothing.list, "LIST"));
  yield atMost(0, row("poll, nothing new", nothing.get + nothing.put, "other"));
  for (let i = 0; i < 3; i++) await publish(publisher.sync, sampleUpdate());
  const news = await counted(reader.sync.requests, () => watcher.poll());
  yield atMost(1, row("poll, 3 new commits", news.list, "LIST"));
  yield atMost(3, row("poll, 3 new commits", news.get, "GET"));
}

async function* catchingUp(place: Place): AsyncIterable<Row> {
  const count = 100_000;
  await using server = await place.server("reader", await place.filled(count));
  const objects = await Array.fromAsync(server.store.list(""));
  await using watcher = watch(server.sync, () => {}, { manual: true });
  const { list, get } = await counted(server.sync.requests, () => watcher.poll());
  const name = `catching up on ${count.toLocaleString("en")} updates`;
  // Two of the log, and two of what is kept for good, since this server is new.
  yield atMost(4, row(name, list, "LIST"));
  yield atMost(objects.length, { ...row(name, get, "GET"), limit: objects.length });
}

function row(name: string, value: number, unit: string) {
  return { name, value, unit };
}
