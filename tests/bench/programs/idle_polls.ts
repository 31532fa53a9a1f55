/** Polls a bucket in which nothing happens, with the garbage collection that `watch` has. */
import { connect, watch } from "@feedsync/feedsync";
import { collectRegularly } from "../../../lib/cli/watch/memory.ts";
import { idle } from "./idle.ts";

const { url, s3, state } = JSON.parse(Deno.args[0]);
await using sync = await connect({ server: "idle", store: url, s3, state });
using _collecting = collectRegularly(sync.requests);
await using watcher = watch(sync, () => {}, { manual: true });
await idle(() => watcher.poll());
