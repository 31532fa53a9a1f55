/**
 * The layer between codec and store: encryption, or nothing.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { CorruptObjectError, MissingKeyError } from "../../errors.ts";
import type { KeyedObject } from "../names.ts";
import { formatOf } from "../../stores/body_format.ts";
import { encodedHeader, kidOf } from "./jwe_header.ts";

/** One or more digests of a text, the current one first. */
export type Digests = readonly [Uint8Array, ...Uint8Array[]];

/** Encrypts and decrypts the bytes of objects. */
export interface Envelope {
  /** Changes whenever the keys change. */
  readonly revision: number;
  /** Whether unencrypted objects are accepted. */
  readonly readsPlain: boolean;
  /** The bytes to store as the object `name`. */
  encrypt(name: KeyedObject, bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * The bytes that were encrypted as the object `name`; throws or rejects.
   *
   * @throws {MissingKeyError} when this server lacks the key.
   * @throws {CorruptObjectError} when they were encrypted as another object, or modified.
   */
  decrypt(name: KeyedObject, stored: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Whether `stored` is encrypted with the current key, or needs no encryption. */
  isCurrent(name: KeyedObject, stored: Uint8Array): boolean;
  /**
   * Digests of a text, 32 bytes each, for use in object keys: SHA-256, or with encryption
   * HMAC-SHA-256 with the names key. New objects use the first; the others belong to former names
   * keys.
   */
  digests(text: string): Digests | Promise<Digests>;
}

/** The object is not encrypted, although it should be: a server without keys wrote it, or a forger. */
export class PlainObjectError extends CorruptObjectError {
  /** Makes the error for the object at `key`. */
  constructor(key: string) {
    super(key, "it is not encrypted: a server without keys wrote it, or somebody forged it");
  }
}

/** Stores bytes without encryption. */
export const plainEnvelope: Envelope = {
  revision: 0,
  readsPlain: true,
  encrypt: (_, bytes) => bytes,
  decrypt(name, stored) {
    if (formatOf(stored) !== "jwe") return stored;
    const kid = claimedKid(name, stored);
    throw new MissingKeyError(
      name.key,
      kid,
      "no keys are configured: set 'encryption.keys', or FEEDSYNC_ENCRYPTION_KEYS",
    );
  },
  isCurrent: (_, stored) => formatOf(stored) !== "jwe",
  digests: (text) => [createHash("sha256").update(text).digest()],
};

/** The id of the key that a JWE claims to be encrypted with. */
export function claimedKid(name: KeyedObject, jwe: Uint8Array): string {
  return kidOf(name, parsedHeader(name, encodedHeader(name, jwe)));
}

function parsedHeader({ key }: KeyedObject, encoded: string): { kid?: unknown } {
  try {
    const bytes = Uint8Array.fromBase64(encoded, { alphabet: "base64url" });
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new CorruptObjectError(key, "it begins like a JWE, but has no such header");
  }
}
