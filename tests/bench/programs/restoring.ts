/** Watches as the command line does: first where nothing happens, then where everything has to be restored. */
import { setTimeout as delay } from "node:timers/promises";
import { connect, watch } from "@feedsync/feedsync";
import { collectRegularly, garbageCollector } from "../../../lib/cli/watch/memory.ts";
import type { RestoreReading } from "../newest.ts";

const IDLE_POLLS = 1_000, LOOK_INTERVAL_MS = 20;

const { idle: empty, full } = JSON.parse(Deno.args[0]);
using _collecting = collectRegularly();
const collect = garbageCollector();

await watchIn(empty, async (watcher) => {
  for (let polls = 0; polls < IDLE_POLLS; polls++) await watcher.poll();
});
collect();
const idle = Deno.memoryUsage().rss;
let most = 0;
await watchIn(full, async (watcher) => {
  let isDone = false;
  const done = watcher.poll().finally(() => isDone = true);
  while (!isDone) {
    most = Math.max(most, Deno.memoryUsage().rss);
    await delay(LOOK_INTERVAL_MS);
  }
  await done;
});
const reading: RestoreReading = { idle, most };
console.log(JSON.stringify(reading));

async function watchIn(
  { url, s3, state }: { url: string; s3: object; state: string },
  work: (watcher: ReturnType<typeof watch>) => Promise<void>,
): Promise<void> {
  await using sync = await connect({ server: "reader", store: url, s3, state });
  await using watcher = watch(sync, () => {}, { manual: true });
  await work(watcher);
}
