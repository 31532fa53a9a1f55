/**
 * `feedsync restore`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const restore: Command = {
  name: "restore",
  summary: "deliver the newest update of each feed to the plugins again",
  description:
    "Delivers the newest update of each feed to the plugins, even if they have already received it",
  usage: ["[URL...] [--plugin NAME]"],
  operands: [{ name: "URL", repeated: true, help: "only these feeds (default: all)" }],
  flags: { plugin: { value: "NAME", help: "only to the plugin of this name" } },
  notes: [
    "Refills a mirror that was wiped, or a new plugin. It sets up its own instances of the plugins, " +
    "moves no cursor, and works beside a running watch with the same state.",
    "Exits with 1 when a plugin cannot apply an update, which becomes a dead letter; with 65 when no " +
    "server has published a URL, or an object in the bucket is damaged. With --json, prints every " +
    "applied update instead of the output of the log plugin.",
  ],
};
