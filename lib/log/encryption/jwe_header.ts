/**
 * Reads the header of a JWE before anything is decrypted. Anyone who can write to the bucket
 * controls it, and errors quote it, so its length is limited.
 *
 * @module
 */
import { CorruptObjectError } from "../../errors.ts";
import type { KeyedObject } from "../names.ts";
import { MAX_KID_LENGTH } from "./key_set.ts";

/** Maximum length of a header; feedsync never writes a longer one. */
const MAX_HEADER_BYTES = 8192;

/**
 * The header of the object `name`, still in base64url.
 *
 * @throws {CorruptObjectError} when it is longer than any header feedsync writes.
 */
export function encodedHeader({ key }: KeyedObject, jwe: Uint8Array): string {
  const text = new TextDecoder().decode(jwe.subarray(0, MAX_HEADER_BYTES));
  const end = text.indexOf(".");
  if (end !== -1) return text.slice(0, end);
  throw new CorruptObjectError(
    key,
    `it begins like a JWE, but its header does not end within ${MAX_HEADER_BYTES} bytes`,
  );
}

/**
 * The id of the key that the object `name` claims to be encrypted with.
 *
 * @throws {CorruptObjectError} when no key can have that id.
 */
export function kidOf({ key }: KeyedObject, { kid }: { readonly kid?: unknown }): string {
  if (typeof kid !== "string") throw new CorruptObjectError(key, "its header has no 'kid'");
  if (kid.length <= MAX_KID_LENGTH) return kid;
  throw new CorruptObjectError(
    key,
    `its header has a 'kid' of more than ${MAX_KID_LENGTH} characters`,
  );
}
