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
  description: "Creates or changes the file with the encryption keys",
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
    drop: { value: "KID", help: "drop a key: objects encrypted with it become unreadable" },
    rekeyed: { help: "confirm that `feedsync rekey` was run; --drop requires it" },
    names: {
      help: "add the names key, which hides the URLs of feeds, to a file made by version 0.1",
    },
    "change-names": {
      help: "replace the names key; objects named with the former one are still found",
    },
  },
  notes: [
    "To rotate keys while servers run: --add, and copy the file to all servers; then --first with " +
    "the new key, and copy it again; then, after twice the retention, run `feedsync rekey`, --drop " +
    "the old key, and copy the file again. Servers notice the changes. Prints ids, never keys; with " +
    '--json {"file","keys"}, all ids in order.',
    "A new file includes a names key, which must be the same on all servers. Run --names on one " +
    "server only, and copy the file to all others: version 0.1 can read it.",
  ],
};
