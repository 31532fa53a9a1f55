/**
 * `feedsync check`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const check: Command = {
  name: "check",
  summary: "check configuration, store, rights, state, keys, peers, API, feed files and plugins",
  description: "Checks everything that this server needs, and says what to do about what is wrong",
  usage: ["[--strict] [--thorough]"],
  flags: {
    strict: { help: "exit with 1 if something is doubtful" },
    thorough: { help: "also write and read an object of 8 MiB" },
  },
  notes: [
    "Prints line by line what is right (✓), doubtful (!) and wrong (✗), with -q only the latter two. " +
    "It goes on after whatever is wrong; what it can therefore not check is marked with –.",
    "It writes one object, which wakes nobody, to the store, and deletes it. It changes nothing else. " +
    "Exits with 0, or with the exit code of the first thing that is wrong.",
    "With --json it prints one object a line, see docs/check.md.",
  ],
};
