/**
 * Tells which servers share a bucket, and how they are.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";
import type { FleetStatus } from "./fleet/status/fleet_status.ts";
import { readStatus } from "./fleet/status/read_status.ts";

/** Options of {@linkcode status}. */
export interface StatusOptions {
  /** Aborts the call. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns which servers share the bucket, how they are, and what needs a person. Each running
 * watcher writes a presence to the bucket, every five minutes by default: this takes one LIST, and
 * one GET for each server. It writes nothing, and works on any machine that can read the bucket. What
 * a server has said is as old as its presence; only a watcher of this connection says it anew.
 *
 * @example
 * ```ts
 * import { connect, status } from "@feedsync/feedsync";
 *
 * const store = `file:${await Deno.makeTempDir()}`; // or "s3://bucket/prefix"
 * await using sync = await connect({ store, server: "monitoring" });
 * const { servers, problems } = await status(sync);
 * for (const { server, state, seen } of servers) console.log(server, state, seen);
 * for (const { severity, message, advice } of problems) {
 *   if (severity === "problem") console.error(message, advice);
 * }
 * ```
 *
 * @throws {StoreUnavailableError} when the store cannot be reached.
 * @throws {AccessDeniedError} when the store refuses to list.
 * @throws {ClosedError} when the connection is closed, or is closed meanwhile.
 */
export async function status(
  sync: FeedSync,
  { signal }: StatusOptions = {},
): Promise<FleetStatus> {
  const connection = connectionOf(sync), { parts } = connection;
  if (!parts) {
    const time = new Date().toISOString();
    return { store: sync.store, time, servers: [], problems: [], consumers: [] };
  }
  const { secret } = connection.config.wake;
  return await connection.run(signal, async (signal) => {
    const own = connection.watcher && await parts.member.ownReport();
    return await readStatus(parts.log, { secret, own, signal });
  });
}
