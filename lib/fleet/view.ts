/**
 * Who is present, as concluded from listings of the presences.
 *
 * @module
 */
import type { DatedPresence, PresenceName } from "../log/fleet/names.ts";
import type { SeenServer } from "../state/fleet.ts";

/** A server that is present. Of several with one name, only one takes part. */
export interface Member {
  /** Name of the server. */
  readonly server: string;
  /** The stream that it publishes to. */
  readonly stream: string;
  /** Identifies its process. */
  readonly writer: string;
  /** Share of the feeds that it takes, in relation to others. */
  readonly weight: number;
  /** Digest of its list of feeds; absent when it takes no turns. */
  readonly list: string | undefined;
  /** Whether it is this server. */
  readonly isOwn: boolean;
}

/** The servers that are present. */
export interface FleetView {
  /** When the presences were listed, by the store's clock in milliseconds; 0: never. */
  readonly lookedAt: number;
  /** The servers, one for each name. */
  readonly members: readonly Member[];
}

/** A presence that is older than so many of its intervals is that of a server that is gone. */
export const LIVES = 3;

/** Presences that are older count for nothing; cleanup deletes them. */
export const MAX_AGE_MS: number = 24 * 60 * 60 * 1000;

/**
 * At its first look, a server cannot tell an outage from servers that are gone. They count for so
 * long, and no longer: a server whose state is always new would leave their feeds to them.
 */
const FIRST_LOOK_AGE_MS = 60 * 60 * 1000;

/** A server that left is missed by so many listings in a row. */
const LISTINGS_AGREE = 2;

/** Maximum number of servers that are followed; those that were seen before come first. */
const MAX_SEEN = 2000;

/** What is known beside a listing. */
export interface LookOptions {
  /** The own presence, as it was written last. */
  readonly own: PresenceName | undefined;
  /** The store's time; where the listing shows the own presence, that tells the time instead. */
  readonly now: number;
  /** The servers that were seen before; undefined: nobody has looked yet. */
  readonly previous: readonly SeenServer[] | undefined;
  /**
   * Whether the own presence was written in each of the last three intervals. After an outage of
   * the store, everybody looks dead: then nobody leaves. But nobody returns either who is gone.
   */
  readonly isReliable: boolean;
}

/** Concludes from a listing which servers are present, perhaps several with one name. */
export function seenServers(
  listing: readonly DatedPresence[],
  { own, now, previous, isReliable }: LookOptions,
): SeenServer[] {
  const time = listing.find(({ key }) => key === own?.key)?.lastModified ?? now;
  const latest = latestOf(listing), known = new Set(previous?.map(identityOf));
  const patienceMs = (name: DatedPresence) => {
    // A former run of this server must not keep it from its turns, however new its state is.
    if (isReliable || name.server === own?.server) return 0;
    if (previous === undefined) return FIRST_LOOK_AGE_MS;
    return known.has(identityOf(name)) ? MAX_AGE_MS : 0;
  };
  const present = [...latest.values()].filter((name) =>
    name.key === own?.key || isPresent(name, { now: time, patienceMs: patienceMs(name) })
  );
  const missing = (previous ?? [])
    .filter((server) => !latest.has(identityOf(server)) && server.missed + 1 < LISTINGS_AGREE)
    .filter((server) => own === undefined || identityOf(server) !== identityOf(own))
    .map((server) => ({ ...server, missed: server.missed + 1 }));
  const isListed = own === undefined || latest.has(identityOf(own));
  const servers = [
    ...present.map(seen),
    ...missing,
    ...isListed ? [] : [seen(own)], // It was written, although the listing does not show it yet.
  ];
  return bounded(servers, [...own ? [own] : [], ...previous ?? []]);
}

/** Not more servers than there may be: whoever can write to the bucket can invent many. */
function bounded(
  servers: SeenServer[],
  known: readonly Pick<SeenServer, "stream" | "writer">[],
): SeenServer[] {
  if (servers.length <= MAX_SEEN) return servers;
  const isKnown = new Set(known.map(identityOf));
  const [old, others] = [true, false].map((wanted) =>
    servers.filter((server) => isKnown.has(identityOf(server)) === wanted)
  );
  return [...old, ...others].slice(0, MAX_SEEN);
}

/**
 * The servers, one for each name: of those that take turns, if any do, that with the lesser stream,
 * and the lesser writer of those.
 */
export function membersOf(servers: readonly SeenServer[], own: PresenceName | undefined): Member[] {
  const members = new Map<string, SeenServer>();
  for (const server of servers) {
    if (isFormer(server, own)) continue;
    const known = members.get(server.server);
    if (!known || comesBefore(server, known)) members.set(server.server, server);
  }
  return [...members.values()].map(({ server, stream, writer, weight, list }) => ({
    server,
    stream,
    writer,
    weight,
    list,
    isOwn: stream === own?.stream && writer === own.writer,
  }));
}

/** A process that begins another stream leaves its presence behind: it must not wait for itself. */
function isFormer({ server, stream, writer }: SeenServer, own: PresenceName | undefined): boolean {
  return server === own?.server && writer === own.writer && stream !== own.stream;
}

/** What a former run has left behind, without turns, must not keep the next one from taking any. */
function comesBefore(one: SeenServer, other: SeenServer): boolean {
  if ((one.list === undefined) !== (other.list === undefined)) return one.list !== undefined;
  return identityOf(one) < identityOf(other);
}

/** Identifies a process of a server. */
export function identityOf({ stream, writer }: Pick<SeenServer, "stream" | "writer">): string {
  return `${stream}/${writer}`;
}

/** The newest presence of each process: when its name changes, the former one remains for a moment. */
export function latestOf(listing: readonly DatedPresence[]): Map<string, DatedPresence> {
  const latest = new Map<string, DatedPresence>();
  for (const name of listing) {
    const known = latest.get(identityOf(name));
    if (!known || ageOrder(name) > ageOrder(known)) latest.set(identityOf(name), name);
  }
  return latest;
}

function ageOrder({ lastModified = Infinity }: DatedPresence): number {
  return lastModified;
}

function isPresent(
  { lastModified, interval }: DatedPresence,
  { now, patienceMs }: { readonly now: number; readonly patienceMs: number },
): boolean {
  if (lastModified === undefined) return true; // Unknown is not gone.
  const limitMs = Math.min(Math.max(LIVES * interval * 1000, patienceMs), MAX_AGE_MS);
  // A time far ahead, as a wrong clock makes it in a directory, would keep it present for so long.
  return now - lastModified <= limitMs && lastModified - now <= MAX_AGE_MS;
}

function seen({ server, stream, writer, weight, list }: PresenceName): SeenServer {
  return { server, stream, writer, weight, list, missed: 0 };
}
