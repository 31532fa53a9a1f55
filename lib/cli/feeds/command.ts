/**
 * `feedsync feeds`: how it is used.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** Its definition. */
export const feeds: Command = {
  name: "feeds",
  summary: "list the feeds that the servers have published",
  description: "Lists all feeds: when each was updated last, and by which server",
  usage: ["[--since 1d] [--by NAME]"],
  flags: {
    since: { value: "AGE", help: "only feeds that were updated within this time" },
    by: { value: "NAME", help: "only feeds whose newest update this server published" },
  },
  notes: [
    "A feed that is gone is marked as removed. The bytes of the content are told of feeds that had to be " +
    "read, because the state of this server does not know them. With --json each line is " +
    '{"url","time","server","removed","size"}.',
    "Without the state of a watch, all that the bucket still holds of the log is read.",
  ],
};
