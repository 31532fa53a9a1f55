/**
 * Buckets for tests.
 *
 * @module
 */
import type { S3Config } from "../../lib/config/s3.ts";
import { openStore } from "../../lib/stores/open.ts";

/** Makes the bucket of the store, as `feedsync init` does. */
export async function makeBucket(
  { store: url, s3 }: { readonly store: string; readonly s3?: S3Config },
): Promise<void> {
  await using store = await openStore(url, s3);
  await store.create?.();
}
