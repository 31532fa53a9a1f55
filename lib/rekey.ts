/**
 * Changing the keys of what is kept for good.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";
import { rekeyNewest, type RekeyProgress, type RekeyReport } from "./log/newest/rekey.ts";

/** Options of {@linkcode rekey}. */
export interface RekeyOptions {
  /** Write nothing, only tell what would be written. @default false */
  readonly dryRun?: boolean | undefined;
  /** Told after each object how far it is. */
  readonly onProgress?: ((progress: RekeyProgress) => void) | undefined;
  /** Ends it; what is written by then stays written. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the newest updates of feeds, which are kept in the bucket for good, anew with the key that encrypts
 * now, and with the names key of now. Once it was run with the keys that all servers have, and reports that
 * nothing failed, older keys can be dropped; everything else in the bucket expires. It can be run anywhere,
 * at any time, again and again.
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
 * @throws {ClosedError} when the connection is closed, or gets closed meanwhile.
 */
export async function rekey(
  sync: FeedSync,
  { dryRun = false, onProgress, signal }: RekeyOptions = {},
): Promise<RekeyReport> {
  const connection = connectionOf(sync);
  const { parts, closed } = connection;
  if (!parts) return { examined: 0, rekeyed: 0, failed: 0 };
  const either = signal ? AbortSignal.any([signal, closed]) : closed;
  try {
    return await connection.keepOpen(
      rekeyNewest(parts.log, { dryRun, onProgress, signal: either }),
    );
  } catch (error) {
    closed.throwIfAborted();
    throw error;
  }
}
