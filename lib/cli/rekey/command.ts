/**
 * `feedsync rekey`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const rekey: Command = {
  name: "rekey",
  summary: "re-encrypt newest/ with the first key",
  description:
    "Rewrites the objects in newest/, which never expire, with the first key and the names key",
  usage: ["[--dry-run]"],
  flags: { "dry-run": { help: "only print how many objects would be rewritten" } },
  notes: [
    "Safe on any server, at any time, any number of times. Run it after the keys have changed on all " +
    "servers, until it reports 0 objects. Then you can drop the old key, see `feedsync help keygen`. " +
    'With --json {"examined","rekeyed","failed"}.',
  ],
};
