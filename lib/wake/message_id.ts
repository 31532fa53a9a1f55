/**
 * Ids of the messages between peers. They are signed along with the body, and name the store and the
 * object in it.
 *
 * @module
 */
import { type ObjectName, parseKey } from "../log/names.ts";

/**
 * Header with the address of the service that has the store, where the store's URL does not name it:
 * two fleets with one secret may use buckets of the same name. Servers may also reach one service at
 * different addresses, so a message that names another one is only a hint to look into the bucket.
 */
export const SERVICE_HEADER = "feedsync-service";

/** The id of the message about the object at `key`; fit for a header. */
export function messageId(store: string, key: string): string {
  return `${encodeURI(store)}/${key}`;
}

/** The object that a message is about; undefined when it is not in the store. */
export function objectOfMessage(id: string, store: string): ObjectName | undefined {
  const start = messageId(store, "");
  return id.startsWith(start) ? parseKey(id.slice(start.length)) : undefined;
}
