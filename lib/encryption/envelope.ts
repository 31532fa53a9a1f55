/**
 * What is between the codec and the store: nothing, or encryption.
 *
 * @module
 */
import { CorruptObjectError, MissingKeyError } from "../errors.ts";
import type { ObjectName } from "../keys.ts";
import { formatOf } from "./format.ts";

/** Wraps and unwraps the bytes of objects. */
export interface Envelope {
  /** Another number whenever the keys have changed. */
  readonly revision: number;
  /** The bytes to store as the object `name`. */
  seal(name: ObjectName, bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * The bytes that were sealed as the object `name`; throws or rejects.
   *
   * @throws {MissingKeyError} when this server lacks the key.
   * @throws {CorruptObjectError} when they were not sealed as that object, or were changed.
   */
  open(name: ObjectName, stored: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Without encryption: bytes are stored as they are. Costs nothing. */
export const plainEnvelope: Envelope = {
  revision: 0,
  seal: (_, bytes) => bytes,
  open(name, stored) {
    if (formatOf(stored) !== "jwe") return stored;
    const kid = kidOf(name, stored);
    throw new MissingKeyError(
      name.key,
      kid,
      "no keys are configured: set 'encryption.keys', or FEEDSYNC_KEYS",
    );
  },
};

/** A header is longer only when it is not feedsync's. */
const MOST_HEADER_BYTES = 8192;

/** Which key a JWE was encrypted with, as it says itself. */
function kidOf({ key }: ObjectName, jwe: Uint8Array): string {
  const [header] = new TextDecoder().decode(jwe.subarray(0, MOST_HEADER_BYTES)).split(".", 1);
  try {
    const bytes = Uint8Array.fromBase64(header, { alphabet: "base64url" });
    const { kid } = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof kid === "string") return kid;
  } catch {
    // Told below.
  }
  throw new CorruptObjectError(key, "it begins like a JWE, but has no such header");
}
