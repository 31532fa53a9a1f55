/**
 * Collects the presences of all servers: one LIST, and a GET for each that counts.
 *
 * @module
 */
import { forEachConcurrently } from "../../base/concurrently.ts";
import { CorruptObjectError, MissingObjectError } from "../../errors.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import { whyUnreadable } from "../../log/why_unreadable.ts";
import type { DatedPresence } from "../../log/fleet/names.ts";
import type { StoredPresence } from "../../log/fleet/fleet_log.ts";
import { latestOf, LIVES, MAX_AGE_MS } from "../view.ts";

/** A presence, and what is in it or why that cannot be read. */
export interface CollectedPresence {
  /** Its name and age. */
  readonly name: DatedPresence;
  /** What is in it. */
  readonly stored?: StoredPresence | undefined;
  /** Why it cannot be read. */
  readonly error?: Error | undefined;
}

/** All presences that count. */
export interface CollectedFleet {
  /** The presences. */
  readonly presences: readonly CollectedPresence[];
  /** Number of those that were not read, since there are too many. */
  readonly left: number;
  /** The store's time, in milliseconds since 1970. */
  readonly now: number;
}

/** Maximum number of GETs at a time. */
const CONCURRENCY = 16;

/** Maximum number of presences that are read: of all servers, and of one name. */
const MAX_READ = 1000, MAX_READ_PER_NAME = 4;

/** Maximum size of a stored presence; those of servers are smaller. */
const MAX_BYTES = 2 * 1024 * 1024;

/** Times that are further ahead of the store's clock are not believed. */
const MAX_AHEAD_MS = 10 * 60 * 1000;

/** Lists the presences and reads those that count. Rejects when the store cannot be reached. */
export async function collectFleet(
  log: BucketLog,
  { signal }: { readonly signal: AbortSignal },
): Promise<CollectedFleet> {
  const listing = await log.fleet.listPresences({ signal });
  const now = timeOf(listing, log.now());
  const chosen = chosenOf(listing, now);
  const presences: CollectedPresence[] = [];
  const read = async (name: DatedPresence, signal: AbortSignal) => {
    presences.push({ name, ...await readPresence(log, name, signal) });
  };
  await forEachConcurrently(chosen.slice(0, MAX_READ), { limit: CONCURRENCY, signal }, read);
  return { presences, left: Math.max(0, chosen.length - MAX_READ), now };
}

async function readPresence(
  log: BucketLog,
  name: DatedPresence,
  signal: AbortSignal,
): Promise<Omit<CollectedPresence, "name">> {
  const { key, size } = name;
  if (size > MAX_BYTES) {
    return { error: new CorruptObjectError(key, `it has more than ${MAX_BYTES} bytes`) };
  }
  try {
    const stored = await log.fleet.readPresence(name, { signal });
    return stored ? { stored } : { error: new MissingObjectError(key) };
  } catch (error) {
    if (whyUnreadable(error) === undefined) throw error;
    return { error: error as Error };
  }
}

/** When a presence was written, as far as the store's time is credible. */
export function writtenAt({ lastModified }: DatedPresence, now: number): number | undefined {
  if (lastModified === undefined || lastModified > now + MAX_AHEAD_MS) return undefined;
  return Math.min(lastModified, now);
}

/** Whether the presence is so old that its server is gone. Unknown is not gone. */
export function isGone(writtenAt: number | undefined, interval: number, now: number): boolean {
  if (writtenAt === undefined) return false;
  return now - writtenAt > Math.min(LIVES * interval * 1000, MAX_AGE_MS);
}

/** The store's time: not before the newest presence, unless that is wrong. */
function timeOf(listing: readonly DatedPresence[], now: number): number {
  let time = now;
  for (const name of listing) {
    const { lastModified = 0 } = name;
    if (lastModified <= now + MAX_AHEAD_MS) time = Math.max(time, lastModified);
  }
  return time;
}

/**
 * The presences that count, the newest first. Of those with one name, the newest one does; others
 * do only while their servers may be running: a server that crashes and restarts may leave many.
 */
function chosenOf(listing: readonly DatedPresence[], now: number): DatedPresence[] {
  const order = ({ lastModified = now }: DatedPresence) => Math.min(lastModified, now);
  const sorted = [...latestOf(listing).values()].sort((a, b) => order(b) - order(a));
  const ofName = new Map<string, number>();
  return sorted.filter((name) => {
    const before = ofName.get(name.server) ?? 0;
    if (before >= MAX_READ_PER_NAME) return false;
    if (before > 0 && isGone(writtenAt(name, now), name.interval, now)) return false;
    ofName.set(name.server, before + 1);
    return true;
  });
}
