/**
 * feedsync itself, with peers and without.
 *
 * @module
 */
import { join } from "node:path";
import { connect, publish, watch } from "@feedsync/feedsync";
import { openStore } from "../../../lib/stores/open.ts";
import { freeAddress } from "../../servers/ports.ts";
import { versionOf } from "../../servers/process.ts";
import { newestCommit } from "../place.ts";
import { SECRET } from "../secret.ts";
import type { StoreAddress } from "../store.ts";
import type { Contender, Sample } from "./contender.ts";
import { SUBSCRIBERS } from "./fleet.ts";

interface FeedSyncAddress extends StoreAddress {
  /** Where the states are. */
  readonly directory: string;
  /** Where subscribers listen, if they do. */
  readonly peers: readonly string[];
  /** How often they poll. */
  readonly poll: string;
}

/** Polls are so rare that only peers bring updates, except where those miss some. */
export const withPeers: Contender<FeedSyncAddress> = {
  ...feedsync((purpose) => ({
    peers: Array.from({ length: SUBSCRIBERS }, freeAddress),
    poll: purpose === "speed" ? "1h" : "10s",
  })),
  name: "feedsync, peers",
  reach: "the bucket; peers if they can be",
};

/** No ports are open. */
export const polling: Contender<FeedSyncAddress> = {
  ...feedsync(() => ({ peers: [], poll: "1s" })),
  name: "feedsync, a poll each second",
  reach: "the bucket",
  interval: 1000,
};

function feedsync(
  how: (purpose: "speed" | "absence") => Pick<FeedSyncAddress, "peers" | "poll">,
): Omit<Contender<FeedSyncAddress>, "name" | "reach"> {
  return {
    accepted: "publisher's disk, bucket",
    install: "tests/servers/ceph.sh install",
    async version() {
      const version = await versionOf("radosgw");
      return version && `Ceph ${version}`;
    },
    start({ bucket, directory, purpose }) {
      if (!bucket) throw new Error("Cannot start feedsync: there is no bucket");
      return Promise.resolve({
        address: { ...bucket, directory, ...how(purpose) },
        [Symbol.asyncDispose]: () => Promise.resolve(), // The bucket is removed by who made it.
      });
    },
    publisher: connectPublisher,
    subscribe: connectSubscriber,
  };
}

async function connectPublisher({ url, s3, directory, peers }: FeedSyncAddress) {
  const sync = await connect({
    server: "publisher",
    store: url,
    s3,
    state: join(directory, "publisher.db"),
    wake: { secret: SECRET, peers: peers.map((address) => `http://${address}`) },
  });
  const store = await openStore(url, s3);
  let body: Uint8Array | undefined, puts = 0;
  return {
    async publish({ ...update }: Sample) {
      await publish(sync, update);
    },
    async bare() {
      body ??= (await newestCommit(store)).body;
      await store.put(`bare/${++puts}`, body);
    },
  };
}

async function connectSubscriber(
  { url, s3, directory, peers, poll }: FeedSyncAddress,
  index: number,
  apply: (update: Sample) => void,
): Promise<void> {
  const server = `subscriber-${index}`;
  const sync = await connect({
    server,
    store: url,
    s3,
    state: join(directory, `${server}.db`),
    wake: { secret: SECRET, listen: peers[index] },
    poll,
  });
  const watcher = watch(sync, (update) => apply(update as unknown as Sample));
  await watcher.ready;
  await watcher.poll();
}
