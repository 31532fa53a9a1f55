/**
 * NATS JetStream: a stream in files, and a durable consumer for each subscriber.
 *
 * @module
 */
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { startNats } from "../../servers/nats.ts";
import { versionOf } from "../../servers/process.ts";
import type { Contender } from "./contender.ts";

const STREAM = "updates";

/** NATS has no setting that syncs before it acknowledges, in the versions that Debian has. */
export const nats: Contender<string> = {
  name: "NATS JetStream",
  accepted: "broker's memory, disk later",
  reach: "the broker",
  install: "apt-get install nats-server",
  async version() {
    const version = await versionOf("nats-server");
    return version && `NATS ${version}`;
  },
  async start({ directory }) {
    const { address, ...server } = await startNats(directory);
    const connection = await connect({ servers: address });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: STREAM, subjects: [STREAM] });
    await connection.close();
    return { address, ...server };
  },
  async publisher(servers) {
    const client = jetstream(await connect({ servers }));
    return {
      async publish(update) {
        await client.publish(STREAM, JSON.stringify(update));
      },
    };
  },
  async subscribe(servers, index, apply) {
    const connection = await connect({ servers });
    const manager = await jetstreamManager(connection);
    const name = `subscriber-${index}`;
    await manager.consumers.add(STREAM, { durable_name: name, ack_policy: AckPolicy.Explicit });
    const consumer = await jetstream(connection).consumers.get(STREAM, name);
    await consumer.consume({
      callback(message) {
        apply(message.json());
        message.ack();
      },
    });
  },
};
