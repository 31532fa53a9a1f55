/** Watches as the command line does: first where nothing happens, then where everything has to be restored. */
import { setTimeout as delay } from "node:timers/promises";
import { connect, watch, type Watcher } from "@feedsync/feedsync";
import { collectRegularly } from "../../../lib/cli/watch/memory.ts";
import type { RestoreReading } from "../newest.ts";

const IDLE_POLLS = 1_000, LOOK_INTERVAL_MS = 20;

const { idle: empty, full } = JSON.parse(Deno.args[0]);
const idle = await most(empty, async (watcher) => {
  for (let polls = 0; polls < IDLE_POLLS; polls++) await watcher.poll();
});
const restoring = await most(full, (watcher) => watcher.poll());
const reading: RestoreReading = { idle, restoring };
console.log(JSON.stringify(reading));

/** The most memory that is resident while a new server does something. */
async function most(
  { url, s3, state }: { url: string; s3: object; state: string },
  work: (watcher: Watcher) => Promise<unknown>,
): Promise<number> {
  await using sync = await connect({ server: "reader", store: url, s3, state });
  using _collecting = collectRegularly(sync.requests);
  await using watcher = watch(sync, () => {}, { manual: true });
  let isDone = false, bytes = 0;
  const done = work(watcher).finally(() => isDone = true);
  while (!isDone) {
    bytes = Math.max(bytes, Deno.memoryUsage().rss);
    await delay(LOOK_INTERVAL_MS);
  }
  await done;
  return bytes;
}
