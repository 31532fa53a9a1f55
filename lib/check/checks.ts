/**
 * All checks, in the order in which they are made.
 *
 * @module
 */
import { checkApi } from "./api.ts";
import { checkBodies } from "./bodies.ts";
import { checkClock } from "./clock.ts";
import { checkConfiguration } from "./configuration.ts";
import { checkConsistency } from "./consistency.ts";
import { checkFiles } from "./files.ts";
import { type Finding, unchecked, wrong } from "./finding.ts";
import { checkKeys } from "./keys.ts";
import { checkLatency } from "./latency.ts";
import { checkListing } from "./listing.ts";
import { checkPeers } from "./peers.ts";
import { checkPlugins } from "./plugins.ts";
import { checkProvider } from "./provider.ts";
import { checkReach } from "./reach.ts";
import { checkRights } from "./rights.ts";
import { checkState } from "./state.ts";
import type { Subject } from "./subject.ts";
import { checkVersions } from "./versions.ts";

/** A check. */
export interface Check {
  /** Its name. */
  readonly name: string;
  /** Whether it needs a store that can be used. @default false */
  readonly needsStore?: boolean;
  /** Finds what is right, doubtful and wrong. */
  find(subject: Subject): Iterable<Finding> | AsyncIterable<Finding>;
}

/** The checks. Each is made whatever came of those before it. */
export const CHECKS: readonly Check[] = [
  { name: "configuration", find: checkConfiguration },
  { name: "provider", find: checkProvider },
  { name: "store", find: checkReach },
  { name: "rights", needsStore: true, find: checkRights },
  { name: "clock", needsStore: true, find: checkClock },
  { name: "listings", needsStore: true, find: checkListing },
  { name: "consistency", needsStore: true, find: checkConsistency },
  { name: "bodies", needsStore: true, find: checkBodies },
  { name: "latency", needsStore: true, find: checkLatency },
  { name: "versions", needsStore: true, find: checkVersions },
  { name: "state", find: checkState },
  { name: "keys", find: checkKeys },
  { name: "peers", find: checkPeers },
  { name: "api", find: checkApi },
  { name: "files", find: checkFiles },
  { name: "plugins", find: checkPlugins },
];

/** Makes a check. A failure that it does not expect is a finding, too. */
export async function* findingsOf(
  { name, needsStore, find }: Check,
  subject: Subject,
): AsyncIterable<Finding> {
  if (needsStore && subject.blocked) return yield unchecked(name, subject.blocked.reason);
  try {
    yield* find(subject);
  } catch (error) {
    subject.signal.throwIfAborted();
    yield wrong(error as Error);
  }
}
