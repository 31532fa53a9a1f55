/**
 * The servers that take turns.
 *
 * @module
 */
import type { Member } from "../view.ts";
import type { Seed } from "./rendezvous.ts";

/** Stands for the list of this server: all that it was asked for. */
export const OWN_LIST = "";

/** A server that takes turns. */
export interface Participant {
  readonly server: string;
  readonly weight: number;
  /** Digest of its list; empty for this server. */
  readonly list: string;
  readonly isOwn: boolean;
}

/** With what its scores are computed from. */
export interface ScoredParticipant extends Participant {
  readonly seed: Seed;
}

/** The feeds that have the same key, and are in the lists of the same servers. */
export interface OwnerClass {
  readonly key: Seed;
  /** Digests of the lists that have the feeds. */
  readonly lists: readonly string[];
  owner: ScoredParticipant | undefined;
  score: number;
}

/** The servers of a view that take turns; this server does, unless another one has its name. */
export function participantsOf(
  members: readonly Member[],
  { server, weight }: { readonly server: string; readonly weight: number },
): Participant[] {
  const participants = members.flatMap(({ list, isOwn, ...member }): Participant[] => {
    if (isOwn) return [{ server, weight: member.weight, list: OWN_LIST, isOwn }];
    if (list === undefined) return [];
    return [{ server: member.server, weight: member.weight, list, isOwn }];
  });
  if (members.some((member) => member.server === server)) return participants;
  return [...participants, { server, weight, list: OWN_LIST, isOwn: true }];
}
