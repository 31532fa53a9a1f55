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
    "dry-run": { help: "only print what would be deleted and moved" },
  },
  notes: [
    "The newest update of each feed is kept permanently: cleanup moves it to newest/ before it " +
    "deletes the object that holds it. With encryption, this requires the keys.",
  ],
};
