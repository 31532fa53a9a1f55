/** Servers that watch a bucket in which nothing happens; each has published something once. */
import process from "node:process";
import { connect, publish, watch } from "@feedsync/feedsync";
import type { IdleServers } from "../idle_servers.ts";
import { messages, programInput, READY, tell } from "../rivals/messages.ts";
import { sampleUpdate } from "../sample.ts";

const { servers, states, store: { url, s3 }, poll } = programInput<IdleServers>();
for (const [index, server] of servers.entries()) {
  const sync = await connect({ server, store: url, s3, state: states[index], poll });
  await publish(sync, sampleUpdate());
  await watch(sync, () => {}).poll();
}
tell(READY);
for await (const _ of messages());
process.exit();
