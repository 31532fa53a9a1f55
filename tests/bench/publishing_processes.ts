/**
 * `feedsync publish` as a process of its own, as cron jobs and scripts start it, against a program that
 * does nothing.
 *
 * @module
 */
import { watch } from "@feedsync/feedsync";
import { interleave, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { pathOf, runProgram } from "./program.ts";
import { atMostTimes, type Row } from "./rows.ts";
import type { StoreAddress } from "./store.ts";

/** Starts of each. */
const STARTS = 15;

export async function* publishingProcesses(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket(), state = place.stateFile();
  const where = place.isDirectory ? "to a directory" : "to S3";
  const most = place.isDirectory ? 5 : 10;
  yield atMostTimes(most, await publishProcess(`${where}, a process`, bucket, state));
  if (place.isDirectory) return;
  await using server = await place.server("server", bucket, { state, poll: "1h" });
  await using watcher = watch(server.sync, () => {});
  await watcher.ready;
  const name = `${where}, a process beside \`watch\``;
  yield atMostTimes(6, await publishProcess(name, bucket, state));
}

async function publishProcess(name: string, { url, s3 }: StoreAddress, state: string) {
  const config = `${state}.json`, feed = `${state}.xml`;
  await Deno.writeTextFile(config, JSON.stringify({ server: "server", store: url, s3, state }));
  await Deno.writeTextFile(feed, "<rss></rss>");
  const args = ["publish", "https://example.com/feed", feed, "--config", config];
  const { value, limit } = await interleave({
    value: () => timed(() => runProgram(pathOf("../../cli.ts"), ...args)),
    limit: () => timed(() => runProgram(pathOf("programs/empty.ts"))),
  }, { rounds: STARTS, warmUp: 2 });
  return { name: `publish ${name}`, value, unit: "ms", limit };
}
