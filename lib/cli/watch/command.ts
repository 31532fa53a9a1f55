/**
 * `feedsync watch`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const watch: Command = {
  name: "watch",
  summary: "apply what others publish, publish changed feed files, clean up",
  description:
    "Applies what other servers publish with the configured plugins, until it is stopped",
  usage: ["[--once] [--files DIR] [--remove-missing] [--publish-received]"],
  flags: {
    once: { help: "poll once, apply everything that is new, publish changed files, and exit" },
    files: { value: "DIR", help: "publish the .feed files in DIR when they change" },
    "remove-missing": {
      help: "publish removals of feeds whose files are gone, however many at once",
    },
    "publish-received": { help: "publish files that were received from another bucket" },
  },
  notes: [
    "With --once it waits for a plugin's backend as long as a call may take (callbackTimeout), " +
    "and then exits with 69. It exits with 1 if a plugin fails for every update, or if updates " +
    "became dead letters.",
    "With --json it prints every applied update, instead of the output of the log plugin. What is " +
    "printed counts as applied, even if the program that reads it crashes: programs that must not " +
    "lose updates read them from the local API (docs/api.md) and acknowledge them.",
    "With api.listen in the configuration, it serves the local API.",
  ],
};
