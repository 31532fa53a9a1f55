/**
 * The layer between codec and store: encryption, or nothing.
 *
 * @module
 */
import { CorruptObjectError, MissingKeyError } from "../../errors.ts";
import type { ObjectName } from "../names.ts";
import { formatOf } from "../../stores/body_format.ts";
import { encodedHeader, kidOf } from "./jwe_header.ts";

/** Encrypts and decrypts the bytes of objects. */
export interface Envelope {
  /** Changes whenever the keys change. */
  readonly revision: number;
  /** The bytes to store as the object `name`. */
  encrypt(name: ObjectName, bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * The bytes that were encrypted as the object `name`; throws or rejects.
   *
   * @throws {MissingKeyError} when this server lacks the key.
   * @throws {CorruptObjectError} when they were encrypted as another object, or modified.
   */
  decrypt(name: ObjectName, stored: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Stores bytes without encryption. */
export const plainEnvelope: Envelope = {
  revision: 0,
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
};

/** The id of the key that a JWE claims to be encrypted with. */
function claimedKid(name: ObjectName, jwe: Uint8Array): string {
  return kidOf(name, parsedHeader(name, encodedHeader(name, jwe)));
}

function parsedHeader({ key }: ObjectName, encoded: string): { kid?: unknown } {
  try {
    const bytes = Uint8Array.fromBase64(encoded, { alphabet: "base64url" });
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new CorruptObjectError(key, "it begins like a JWE, but has no such header");
  }
}
