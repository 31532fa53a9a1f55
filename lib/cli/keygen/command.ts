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
  usage: [
    "FILE",
    "--add FILE",
    "--first KID FILE",
    "--drop KID --rekeyed FILE",
    "--names FILE",
    "--change-names FILE",
  ],
  operands: [{
    name: "FILE",
    required: true,
    help: "a JWK Set; all its keys decrypt, the first encrypts. Created with a new key, never " +
      "overwritten, and readable only by its owner",
  }],
  flags: {
    add: { help: "add a new key as the last" },
    first: { value: "KID", help: "make the key with this id the first" },
    drop: { value: "KID", help: "drop a key: what needs it can no longer be read" },
    rekeyed: { help: "say that `feedsync rekey` was run since, which --drop insists on" },
    names: {
      help:
        "add the names key, which hides the URLs of feeds, to a file of version 0.1 that has none",
    },
    "change-names": { help: "make a new names key; what the former one has named is still found" },
  },
  notes: [
    "To rotate keys while servers run: --add, and copy the file to all servers; then --first with " +
    "the new key, and copy it again; then, after twice the retention, `feedsync rekey`, and --drop the " +
    "old one, and copy the file. Servers notice the changes. Prints ids, never keys; with --json " +
    '{"file","keys"}, all ids in order.',
    "A new file has a names key, which is the same on all servers. Run --names on one server only, and " +
    "copy the file to all others: 0.1 reads it as well.",
  ],
};
