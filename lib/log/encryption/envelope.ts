/**
 * What is between the codec and the store: nothing, or encryption.
 *
 * @module
 */
import { CorruptObjectError, MissingKeyError } from "../../errors.ts";
import type { ObjectName } from "../names.ts";
import { formatOf } from "../../stores/body_format.ts";
import { encodedHeader, kidOf } from "./jwe_header.ts";

/** Encrypts and decrypts the bytes of objects. */
export interface Envelope {
  /** Another number whenever the keys have changed. */
  readonly revision: number;
  /** The bytes to store as the object `name`. */
  encrypt(name: ObjectName, bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * The bytes that were encrypted as the object `name`; throws or rejects.
   *
   * @throws {MissingKeyError} when this server lacks the key.
   * @throws {CorruptObjectError} when they were not encrypted as that object, or were changed.
   */
  decrypt(name: ObjectName, stored: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Without encryption: bytes are stored as they are. Costs nothing. */
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

/** Which key a JWE was encrypted with, as it says itself. */
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
