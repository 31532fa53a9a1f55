/**
 * `feedsync feeds`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
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
    "Feeds that are gone are marked as removed. The size of the content is printed only for feeds " +
    "that had to be read, because the state of this server does not know them. With --json, each " +
    'line is {"url","time","server","removed","size"}.',
    "Without the state of a watch, the whole log in the bucket is read.",
  ],
};
