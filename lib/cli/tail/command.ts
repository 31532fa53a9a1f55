/**
 * `feedsync tail`: how it is used.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** Its definition. */
export const tail: Command = {
  name: "tail",
  summary: "print updates as NDJSON without moving a cursor",
  description: "Prints the updates of all servers as NDJSON; what others read is not affected",
  usage: ["[--from earliest|now] [--once]"],
  flags: {
    from: {
      value: "WHERE",
      choices: ["earliest", "now"],
      help: "earliest: begin with what the bucket still holds (default); now: only new ones",
    },
    once: { help: "print what is there and exit" },
  },
};
