/**
 * Makes the bucket.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";

/** Options of {@linkcode init}. */
export interface InitOptions {
  /** Aborts the call. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the bucket of the store, or its directory, unless it is there. Nothing else makes a bucket:
 * where it is missing, all other calls reject with a {@linkcode ConfigError}, since its name may be
 * mistyped. Call it once, when the store is set up, with credentials that may create buckets.
 *
 * @example
 * ```ts
 * import { connect, init } from "@feedsync/feedsync";
 *
 * const store = `file:${await Deno.makeTempDir()}/store`; // or "s3://bucket/prefix"
 * await using sync = await connect({ store, server: "web-1" });
 * console.log(await init(sync)); // true
 * console.log(await init(sync)); // false
 * ```
 *
 * @returns whether it was made; false if it was there, or feedsync is not enabled.
 * @throws {ConfigError} when the name of the bucket is taken, or the store is configured wrongly.
 * @throws {AccessDeniedError} when the bucket must not be created, or is somebody else's.
 * @throws {StoreUnavailableError} when the store cannot be reached.
 * @throws {ClosedError} when the connection is closed, or is closed meanwhile.
 */
export async function init(sync: FeedSync, { signal }: InitOptions = {}): Promise<boolean> {
  const connection = connectionOf(sync), { parts } = connection;
  if (!parts) return false;
  return await connection.run(signal, (signal) => parts.log.createStore({ signal }));
}
