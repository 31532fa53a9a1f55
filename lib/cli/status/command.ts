/**
 * `feedsync status`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const status: Command = {
  name: "status",
  summary: "show the servers, who is behind, and what needs a person",
  description: "Shows which servers share the bucket, how they are, and what needs a person",
  usage: ["[SERVER] [--watch]"],
  operands: [{ name: "SERVER", help: "show everything that this server says (default: all)" }],
  flags: {
    watch: { help: "refresh every five seconds until it is stopped; then it exits with 0" },
  },
  notes: [
    "Works on any machine that can read the bucket, and changes nothing: one LIST, and one GET for " +
    "each server. Exits with 1 when something needs a person, and says what to do. With -q it " +
    "prints nothing when all is well.",
    "With --json it prints one object, with --watch one a line: docs/status.md explains each member.",
  ],
};
