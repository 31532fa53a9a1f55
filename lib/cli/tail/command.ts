/**
 * `feedsync tail`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const tail: Command = {
  name: "tail",
  summary: "print updates as NDJSON without moving a cursor",
  description: "Prints the updates of all servers as NDJSON; does not affect other readers",
  usage: ["[--from earliest|now] [--once]"],
  flags: {
    from: {
      value: "WHERE",
      choices: ["earliest", "now"],
      help: "earliest: begin with the oldest update in the bucket (default); now: only new updates",
    },
    once: { help: "print the existing updates and exit" },
  },
};
