/**
 * Ids of what peers send each other: signed along with the body, they say which object of which
 * store it is.
 *
 * @module
 */
import { type ObjectName, parseKey } from "../log/names.ts";

/**
 * Header that names the service which has the store, where its URL does not: two fleets with one secret may
 * use buckets of the same name. Servers may reach one service under different names, too, so that a
 * message with another one is a hint, and nothing in it is believed.
 */
export const SERVICE_HEADER = "feedsync-service";

/** The id of the message with the object at `key` of the store; it is a header. */
export function messageId(store: string, key: string): string {
  return `${encodeURI(store)}/${key}`;
}

/** The object that a message is about; undefined when it is none of the store's. */
export function objectOfMessage(id: string, store: string): ObjectName | undefined {
  const start = messageId(store, "");
  return id.startsWith(start) ? parseKey(id.slice(start.length)) : undefined;
}
