/**
 * `feedsync cleanup`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const cleanup: Command = {
  name: "cleanup",
  summary: "delete old updates from the bucket",
  description: "Deletes old updates from the bucket; safe at any time, on any server",
  usage: ["[--max-age 24h] [--dry-run]"],
  flags: {
    "max-age": {
      value: "AGE",
      help: "delete updates older than this, at least 10m (default: the configured retention)",
    },
    "dry-run": { help: "only tell what would be deleted and moved" },
  },
  notes: [
    "The newest update of each feed is kept for good: it is moved to newest/ before it would be deleted. That " +
    "takes the keys, if there are some.",
  ],
};
