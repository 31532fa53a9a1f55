/**
 * The id and headers of messages between peers. The id names the store and the object; it is signed
 * together with the body.
 *
 * @module
 */
import { UnsupportedFormatError } from "../errors.ts";

/**
 * Header with the oldest reader that can read the message, like `"feedsync"` in an object; 1 if it
 * is missing. Path, signature and this header are the same in all versions; id and body of a
 * message that needs a newer reader may differ.
 */
export const READER_HEADER = "feedsync-reader";

/** The reader version of this program, which can read everything that it sends. */
export const MESSAGE_READER = 1;

/**
 * Status of the answer to a message that needs a newer reader: the peer reads the commit from the
 * bucket.
 */
export const NEEDS_NEWER_READER = 415;

/**
 * Header with the address of the service that has the store, if the store's URL does not name it:
 * two fleets with the same secret may use buckets of the same name. Servers may also reach one
 * service at different addresses, so a message that names another one is only a hint to look into
 * the bucket.
 */
export const SERVICE_HEADER = "feedsync-service";

/** The id of the message about the object at `key`; valid in a header. */
export function messageId(store: string, key: string): string {
  return `${encodeURI(store)}/${key}`;
}

/** The key of the object that a message is about; undefined when it is not in the store. */
export function keyOfMessage(id: string, store: string): string | undefined {
  const start = messageId(store, "");
  return id.startsWith(start) ? id.slice(start.length) : undefined;
}

/** Why the message cannot be understood by this version; undefined when it can. */
export function unsupportedMessage(
  id: string,
  headers: Headers,
): UnsupportedFormatError | undefined {
  const needed = Number(headers.get(READER_HEADER) ?? MESSAGE_READER);
  if (!Number.isSafeInteger(needed) || needed <= MESSAGE_READER) return undefined;
  return new UnsupportedFormatError(`the message ${id}`, needed, MESSAGE_READER);
}
