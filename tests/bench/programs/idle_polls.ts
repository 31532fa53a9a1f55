/** Polls a bucket in which nothing happens, with the garbage collection that `watch` has. */
import { connect, watch } from "@feedsync/feedsync";
import { garbageCollector } from "../../../lib/cli/watch/memory.ts";
import { idle } from "./idle.ts";

/** The command line collects every minute: every so many polls at the fastest poll, 100 ms. */
const POLLS_A_MINUTE = 600;

const { url, s3, state } = JSON.parse(Deno.args[0]);
await using sync = await connect({ server: "idle", store: url, s3, state });
await using watcher = watch(sync, () => {}, { manual: true });
const collect = garbageCollector();
let polls = 0;
await idle(async () => {
  await watcher.poll();
  if (++polls % POLLS_A_MINUTE === 0) collect();
});
