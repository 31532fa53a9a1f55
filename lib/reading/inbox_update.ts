/**
 * Updates as the inbox of consumers keeps them.
 *
 * @module
 */
import { type StoredUpdate, updateBody } from "../log/codec.ts";
import type { InboxUpdate } from "../state/inbox.ts";

/** The update as the inbox keeps it. */
export function inboxUpdateOf(stream: string, update: StoredUpdate): InboxUpdate {
  const { id, url, time, seq } = update;
  return { id, url, time: Date.parse(time), stream, seq, body: updateBody(update) };
}
