/**
 * Ids of what peers send each other: signed along with the body, they say which object of which
 * store it is.
 *
 * @module
 */
import { type ObjectName, parseKey } from "../keys.ts";

/** The id of the message with the object at `key` of the store; it is a header. */
export function messageId(store: string, key: string): string {
  return `${encodeURI(store)}/${key}`;
}

/** The object that a message is about; undefined when it is none of the store's. */
export function objectOfMessage(id: string, store: string): ObjectName | undefined {
  const start = messageId(store, "");
  return id.startsWith(start) ? parseKey(id.slice(start.length)) : undefined;
}
