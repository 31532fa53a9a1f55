/** Polls a bucket in which nothing happens. */
import { connect, watch } from "@feedsync/feedsync";
import { idle } from "./idle.ts";

const { url, s3, state } = JSON.parse(Deno.args[0]);
await using sync = await connect({ server: "idle", store: url, s3, state });
await using watcher = watch(sync, () => {}, { manual: true });
await idle(() => watcher.poll());
