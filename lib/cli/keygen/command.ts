/**
 * `feedsync keygen`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const keygen: Command = {
  name: "keygen",
  summary: "create or change encryption keys",
  description: "Makes the file with the keys that objects are encrypted with, or changes it",
  usage: ["FILE", "--add FILE", "--first KID FILE", "--drop KID FILE"],
  operands: [{
    name: "FILE",
    required: true,
    help: "a JWK Set; all its keys decrypt, the first encrypts. Created with a new key, never " +
      "overwritten, and readable only by its owner",
  }],
  flags: {
    add: { help: "add a new key as the last" },
    first: { value: "KID", help: "make the key with this id the first" },
    drop: { value: "KID", help: "drop a key: objects encrypted with it can no longer be read" },
  },
  notes: [
    "To rotate keys while servers run: --add, and copy the file to all servers; then --first " +
    "with the new key, and copy it again; then, after twice the retention, --drop the old key, " +
    "and copy it once more. Servers notice the changes. Prints ids, never keys; with --json " +
    '{"file","keys"}, all ids in order.',
  ],
};
