/**
 * The section `encryption`.
 *
 * @module
 */
import { resolve } from "node:path";
import * as z from "zod/mini";
import { key, missing, text } from "./rules.ts";

/** Encryption of the objects in the bucket and the messages to peers. */
export interface EncryptionConfig {
  /** Path of the key file that `feedsync keygen` makes; the same keys on all servers. */
  readonly keys?: string | undefined;
  /** Also read unencrypted objects, while switching servers over. @default {false} */
  readonly allowPlaintext?: boolean | undefined;
}

/** An {@linkcode EncryptionConfig} with everything filled in. */
export interface ResolvedEncryption {
  /** Absolute path of the key file. */
  readonly keys: string;
  /** Also read unencrypted objects. */
  readonly allowPlaintext: boolean;
}

const DEFAULTS = { allowPlaintext: false } as const satisfies EncryptionConfig;

/** Keys whose values must not appear in messages: somebody may have put encryption keys there. */
export const ENCRYPTION_SECRETS = ["encryption", "keys"] as const;

/** The rules of `encryption`. */
export const encryptionRule = z.strictObject({
  keys: key(
    text.check(z.refine((path) => !path.includes("{"), {
      error: "must be the path of a key file, not its content",
    })),
    "Path of the key file that feedsync keygen makes",
  ),
  allowPlaintext: key(
    z.boolean(),
    "Also read unencrypted objects, while switching servers over",
    DEFAULTS.allowPlaintext,
  ),
});

/**
 * Checks the keys together, once all sources of the configuration are merged.
 *
 * @throws {ConfigError} when a required key is missing.
 */
export function checkEncryption({ keys }: EncryptionConfig): void {
  if (keys === undefined) {
    throw missing("encryption.keys", "the other keys of 'encryption' require it");
  }
}

/** A copy whose paths are absolute. */
export function absoluteEncryption(
  { keys, ...rest }: EncryptionConfig,
  directory: string,
): EncryptionConfig {
  return keys === undefined ? rest : { ...rest, keys: resolve(directory, keys) };
}

/** Fills in the defaults; `undefined` without encryption. */
export function resolveEncryption(
  { keys, allowPlaintext = DEFAULTS.allowPlaintext }: EncryptionConfig = {},
): ResolvedEncryption | undefined {
  return keys === undefined ? undefined : { keys, allowPlaintext };
}
