/**
 * `feedsync cost`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const cost: Command = {
  name: "cost",
  summary: "estimate what the requests of a month cost",
  description: "Estimates how many requests a fleet sends in a month, and what they cost",
  usage: [
    "--servers N --updates-per-hour U [--feeds F] [--poll 10s] [--provider aws|r2|b2|linode]",
  ],
  flags: {
    servers: { value: "N", help: "servers that publish and watch" },
    "updates-per-hour": { value: "U", help: "updates of all of them together" },
    feeds: {
      value: "F",
      help: "feeds (default: as many as there are updates within the configured retention)",
    },
    poll: { value: "TIME", help: "from poll to poll (default: as configured)" },
    provider: {
      value: "NAME",
      choices: ["aws", "r2", "b2", "linode"],
      help: "provider whose prices are used (default: aws)",
    },
  },
  notes: [
    "Prints the configured setup first, and others to compare it with. With --json each " +
    'line is {"way","put","get","list","dollars","provider"}.',
  ],
};
