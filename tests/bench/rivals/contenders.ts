/**
 * All contenders, by name. The client of each is loaded only where it is used.
 *
 * @module
 */
import type { Contender } from "./contender.ts";

/** The contenders. */
export const CONTENDERS: Readonly<Record<string, () => Promise<Contender>>> = {
  "feedsync": async () => (await import("./feedsync.ts")).withPeers,
  "feedsync-polling": async () => (await import("./feedsync.ts")).polling,
  "redis-always": async () => (await import("./redis.ts")).syncing,
  "redis-everysec": async () => (await import("./redis.ts")).syncingEachSecond,
  "nats": async () => (await import("./nats.ts")).nats,
  "zeromq": async () => (await import("./zeromq.ts")).zeromq,
};
