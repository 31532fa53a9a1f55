/**
 * Why an object cannot be read.
 *
 * @module
 */
import { AccessDeniedError, CorruptObjectError, isLocked, MissingObjectError } from "../errors.ts";

/** Why an object cannot be read. */
export type UnreadableReason =
  /** The store denies access to it. */
  | "refused"
  /** It does not match its key. */
  | "corrupt"
  /** This server lacks the key to decrypt it, or is too old for its format. */
  | "locked"
  /** Listings show it, but a GET does not find it. */
  | "missing";

/** Why an object cannot be read; undefined for an error that says nothing about the object. */
export function whyUnreadable(error: unknown): UnreadableReason | undefined {
  if (error instanceof AccessDeniedError) return "refused";
  if (error instanceof CorruptObjectError) return "corrupt";
  if (isLocked(error)) return "locked";
  return error instanceof MissingObjectError ? "missing" : undefined;
}
