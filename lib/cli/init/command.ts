/**
 * `feedsync init`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const init: Command = {
  name: "init",
  summary: "make the bucket, check that all is well, and write the configuration file",
  description:
    "Makes the bucket unless it is there, checks everything, and writes the configuration file",
  usage: ["--store URL [--endpoint URL] [--region NAME]", ""],
  flags: {
    endpoint: {
      value: "URL",
      help: "URL of the service, without the bucket; required for everything but AWS",
    },
    region: { value: "NAME", help: "region of the bucket" },
  },
  notes: [
    "The flags --store, --endpoint, --region, --server and --state go into the file: --config FILE, or " +
    "feedsync.json. Nothing is written when something is wrong. Access keys and other secrets are never " +
    "written; they are found in the environment, in ~/.aws and so on, see docs/credentials.md.",
    "A configuration file that is there is left as it is, and says where the bucket is. So init can be run " +
    "again at any time, on every server. Nothing else makes a bucket, or needs the right to create one.",
  ],
};
