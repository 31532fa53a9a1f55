/**
 * Redis Streams: each subscriber remembers the id that it has read up to.
 *
 * @module
 */
import { join } from "node:path";
import { createClient } from "@redis/client";
import { versionOf } from "../../servers/process.ts";
import { type Appendfsync, startRedis } from "../../servers/redis.ts";
import type { Contender, Sample } from "./contender.ts";

const STREAM = "updates";

/** A subscriber reads so many at once. */
const BATCH = 1000;

interface RedisAddress {
  readonly url: string;
  /** Where subscribers remember. */
  readonly directory: string;
}

/** What was acknowledged survives a crash of the machine. */
export const syncing: Contender<RedisAddress> = redis("always", "broker's disk");

/** As it is set up mostly. */
export const syncingEachSecond: Contender<RedisAddress> = redis(
  "everysec",
  "broker's disk in 1 s",
);

function redis(appendfsync: Appendfsync, accepted: string): Contender<RedisAddress> {
  return {
    name: `Redis Streams, appendfsync ${appendfsync}`,
    accepted,
    reach: "the broker",
    install: "apt-get install redis-server",
    async version() {
      const version = await versionOf("redis-server");
      return version && `Redis ${version}`;
    },
    async start({ directory }) {
      const { url, ...server } = await startRedis(directory, appendfsync);
      return { address: { url, directory }, ...server };
    },
    async publisher({ url }) {
      const client = await createClient({ url }).connect();
      return {
        async publish(update) {
          await client.xAdd(STREAM, "*", { update: JSON.stringify(update) });
        },
      };
    },
    async subscribe({ url, directory }, index, apply) {
      const client = await createClient({ url }).connect();
      const path = join(directory, `subscriber-${index}`);
      void readOn(client, path, apply);
    },
  };
}

async function readOn(
  client: Pick<ReturnType<typeof createClient>, "xRead">,
  path: string,
  apply: (update: Sample) => void,
): Promise<never> {
  for (let id = remembered(path);;) {
    const streams = await client.xRead({ key: STREAM, id }, { BLOCK: 0, COUNT: BATCH });
    for (const { messages } of streams ?? []) {
      for (const { message } of messages) apply(JSON.parse(message.update));
      id = messages.at(-1)!.id;
    }
    remember(path, id);
  }
}

function remembered(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "0";
    throw error;
  }
}

/** Whole or not at all: the process may be killed at any time. */
function remember(path: string, id: string): void {
  Deno.writeTextFileSync(`${path}.new`, id);
  Deno.renameSync(`${path}.new`, path);
}
