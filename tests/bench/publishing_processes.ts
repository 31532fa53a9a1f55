/**
 * `feedsync publish` as a process of its own, as cron jobs and scripts start it, against a program that
 * does nothing: from the source, and from a bundle.
 *
 * @module
 */
import { watch } from "@feedsync/feedsync";
import { bundledCommandLine } from "./bundled.ts";
import { interleave, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { pathOf, runProgram } from "./program.ts";
import { atMostTimes, type Row } from "./rows.ts";
import type { StoreAddress } from "./store.ts";

/** Starts of each. */
const STARTS = 15;

export async function* publishingProcesses(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket(), state = place.stateFile();
  await using bundled = await bundledCommandLine();
  const name = `publish to ${place.isDirectory ? "a directory" : "S3"}, a process`;
  const goal = { name, most: place.isDirectory ? 5 : 10 };
  yield* publishProcess(goal, bundled.path, bucket, state);
  if (place.isDirectory) return;
  await using server = await place.server("server", bucket, { state, poll: "1h" });
  await using watcher = watch(server.sync, () => {});
  await watcher.ready;
  const besideGoal = { name: `${name} beside \`watch\``, most: 6 };
  yield* publishProcess(besideGoal, bundled.path, bucket, state);
}

async function* publishProcess(
  { name, most }: { readonly name: string; readonly most: number },
  bundledPath: string,
  { url, s3 }: StoreAddress,
  state: string,
): AsyncIterable<Row> {
  const config = `${state}.json`, feed = `${state}.xml`;
  await Deno.writeTextFile(config, JSON.stringify({ server: "server", store: url, s3, state }));
  await Deno.writeTextFile(feed, "<rss></rss>");
  const args = ["publish", "https://example.com/feed", feed, "--config", config];
  const { source, bundle, limit } = await interleave({
    source: () => timed(() => runProgram(pathOf("../../cli.ts"), ...args)),
    bundle: () => timed(() => runProgram(bundledPath, ...args)),
    limit: () => timed(() => runProgram(pathOf("programs/empty.ts"))),
  }, { rounds: STARTS, warmUp: 2 });
  yield atMostTimes(most, { name, value: source, unit: "ms", limit });
  yield atMostTimes(most, { name: `${name}, bundled`, value: bundle, unit: "ms", limit });
}
