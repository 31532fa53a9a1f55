/**
 * The requests that cannot be avoided, and nothing else: what feedsync is measured against.
 *
 * @module
 */
import type { StoreAddress } from "../store.ts";
import { bareDirectory } from "./directory.ts";
import { bareS3 } from "./s3.ts";

/** A store without retries, time limits and checks. */
export interface BareStore {
  /** Writes an object. */
  put(key: string, body: Uint8Array): Promise<void>;
  /** Reads an object. */
  get(key: string): Promise<Uint8Array>;
  /** The keys that begin with `prefix`. */
  list(prefix: string): Promise<string[]>;
}

/** The part of a store at an address. */
export function bareStore({ url, s3 }: StoreAddress): BareStore {
  return url.startsWith("file:")
    ? bareDirectory(url.slice("file:".length))
    : bareS3(url.slice("s3://".length), s3);
}
