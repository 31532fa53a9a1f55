/**
 * Ids of what peers send each other: signed along with the body, they say which object of which
 * store it is.
 *
 * @module
 */
import { type ObjectName, parseKey } from "../keys.ts";

/** The id of the message with the object at `key` of the store. */
export function messageId(store: string, key: string): string {
  return `${store}/${key}`;
}

/** The object that a message is about; undefined when it is none of the store's. */
export function objectOfMessage(id: string, store: string): ObjectName | undefined {
  return id.startsWith(`${store}/`) ? parseKey(id.slice(store.length + 1)) : undefined;
}
