/**
 * The part of the configuration that is about encryption.
 *
 * @module
 */
import { resolve } from "node:path";

/** Encryption of what is kept in the bucket, and sent to peers. */
export interface EncryptionConfig {
  /** Path of the file with the keys, made by `feedsync keygen`; the same keys on all servers. */
  readonly keys?: string | undefined;
  /** Read objects that are not encrypted, too: while servers begin to encrypt. @default {false} */
  readonly allowPlaintext?: boolean | undefined;
}

/** An {@linkcode EncryptionConfig} with everything filled in. */
export interface ResolvedEncryption {
  /** Absolute path of the file with the keys. */
  readonly keys: string;
  /** Read objects that are not encrypted, too. */
  readonly allowPlaintext: boolean;
}

/** Defaults of the keys in `encryption`. */
export const ENCRYPTION_DEFAULTS = { allowPlaintext: false } as const satisfies EncryptionConfig;

/** Fills in what is said about encryption; `undefined` when there is to be none. */
export function resolveEncryption(
  encryption: EncryptionConfig | undefined,
  directory: string,
): ResolvedEncryption | undefined {
  if (encryption?.keys === undefined) return undefined;
  const { keys, allowPlaintext = ENCRYPTION_DEFAULTS.allowPlaintext } = encryption;
  return { keys: resolve(directory, keys), allowPlaintext };
}
