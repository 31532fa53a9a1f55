/**
 * Updates as the inbox of consumers keeps them.
 *
 * @module
 */
import { updateBody } from "../log/codec.ts";
import type { InboxUpdate } from "../state/inbox.ts";
import type { FeedContent, UpdateBase } from "../update.ts";

/** An update with its place, from wherever it was read. */
type PlacedUpdate = FeedContent & Pick<UpdateBase, "id" | "url" | "time" | "seq" | "metadata">;

/** The update as the inbox keeps it. */
export function inboxUpdateOf(stream: string, update: PlacedUpdate): InboxUpdate {
  const { id, url, time, seq } = update;
  return { id, url, time: Date.parse(time), stream, seq, body: updateBody(update) };
}
