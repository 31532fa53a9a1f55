/**
 * Re-encrypts the updates that are kept permanently.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";
import { rekeyNewest, type RekeyProgress, type RekeyReport } from "./log/newest/rekey.ts";

/** Options of {@linkcode rekey}. */
export interface RekeyOptions {
  /** Count what would be rewritten, but change nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Called after each object with the progress. */
  readonly onProgress?: ((progress: RekeyProgress) => void) | undefined;
  /** Aborts the call; objects rewritten until then stay rewritten. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Rewrites the objects in `newest/` with the first key and the current names key. They hold the
 * newest updates of feeds and never expire, unlike everything else in the bucket. When this has run
 * with the keys that all servers have, and nothing failed, older keys can be dropped. Safe on any
 * server, at any time, any number of times.
 *
 * @example
 * ```ts
 * import { connect, rekey } from "@feedsync/feedsync";
 *
 * await using sync = await connect({ store: `file:${await Deno.makeTempDir()}` });
 * const { rekeyed, failed } = await rekey(sync);
 * console.log(rekeyed, failed); // 0 0
 * ```
 *
 * @throws {StoreUnavailableError} when the store cannot be reached.
 * @throws {AccessDeniedError} when the store refuses to list.
 * @throws {ClosedError} when the connection is closed, or is closed meanwhile.
 */
export async function rekey(
  sync: FeedSync,
  { dryRun = false, onProgress, signal }: RekeyOptions = {},
): Promise<RekeyReport> {
  const connection = connectionOf(sync);
  const { parts } = connection;
  if (!parts) return { examined: 0, rekeyed: 0, failed: 0 };
  return await connection.run(
    signal,
    (signal) => rekeyNewest(parts.log, { dryRun, onProgress, signal }),
  );
}
