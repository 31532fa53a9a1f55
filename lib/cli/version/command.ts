/**
 * `feedsync version`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const version: Command = {
  name: "version",
  summary: "show the version, and which formats it reads and writes",
  description:
    "Shows the version of this program, which formats it reads and writes, and on what it runs",
  usage: [""],
  notes: [
    "Objects in the bucket, states, and messages between peers name the oldest reader that can read " +
    "them: this program reads those that need no newer one than its own. It needs no configuration. " +
    "`feedsync --version` prints the first line only.",
    'With --json it is {"version","formats","deno","platform"}; formats are ' +
    '{"bucket","state","messages"}, each with its "reader", and the format that is "written".',
  ],
};
