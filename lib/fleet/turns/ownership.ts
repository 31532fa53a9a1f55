/**
 * Which server fetches which feed, by the view of the fleet and the lists of all servers. All
 * servers with the same view and lists come to the same conclusion.
 *
 * A feed belongs to one of the present servers whose lists have it, by rendezvous hashing of their
 * names with the feed's key: the hash of its domain, or its own where the domain is large.
 *
 * @module
 */
import { compareSuffixes } from "./domain.ts";
import type { Feed } from "./feed.ts";
import type { ListSummary } from "./foreign_lists.ts";
import {
  OWN_LIST,
  type OwnerClass,
  type Participant,
  type ScoredParticipant,
} from "./participants.ts";
import { scoreOf, type Seed, seedOfHash, seedOfName } from "./rendezvous.ts";

/** What owners depend on beside the participants. */
export interface OwnershipInput {
  /** The feeds that have an owner. */
  readonly feeds: Iterable<Feed>;
  /** The list that other servers see of this one. */
  readonly own: ListSummary & { readonly digest: string };
  /** The lists of other servers that could be read. */
  readonly lists: ReadonlyMap<string, ListSummary>;
}

/** Tells the owners of feeds. */
export class Ownership {
  #participants = new Map<string, ScoredParticipant>();
  #byList = new Map<string, ScoredParticipant[]>();
  #classes = new Map<string, OwnerClass>();
  #input: OwnershipInput | undefined;
  /** Domains whose feeds do not stay together. */
  #large = new Set<string>();

  /** Takes over feeds or lists that have changed. */
  setLists(input: OwnershipInput): void {
    this.#input = input;
    this.#large = largeDomains([input.own, ...input.lists.values()]);
    const former = this.#classes;
    this.#classes = new Map();
    for (const feed of input.feeds) this.#place(feed, former);
  }

  /** Adds a feed. */
  add(feed: Feed): void {
    this.#place(feed, this.#classes);
  }

  /** Takes over which servers are present; only what that changes is decided again. */
  setParticipants(participants: readonly Participant[]): void {
    const former = this.#participants, joined: ScoredParticipant[] = [];
    this.#participants = new Map();
    for (const participant of participants) {
      const known = former.get(participant.server);
      const isSame = known?.weight === participant.weight && known.list === participant.list &&
        known.isOwn === participant.isOwn;
      const next = isSame ? known : { ...participant, seed: seedOfName(participant.server) };
      if (!isSame) joined.push(next);
      this.#participants.set(next.server, next);
    }
    this.#byList = Map.groupBy(this.#participants.values(), ({ list }) => list);
    for (const owned of this.#classes.values()) this.#decide(owned, joined);
  }

  /** The server that the feed belongs to. */
  ownerOf({ ownerClass }: Feed): Participant | undefined {
    return ownerClass?.owner;
  }

  /** The other servers that the feed would belong to next, at most `count`, the best first. */
  nextOwnersOf({ ownerClass }: Feed, count: number): Participant[] {
    if (!ownerClass) return [];
    const { key, lists } = ownerClass;
    const others = lists.filter((list) => list !== OWN_LIST)
      .flatMap((list) => this.#byList.get(list) ?? []);
    const scored = others.map((participant) => ({
      participant,
      score: scoreOf(participant.seed, participant.weight, key),
    }));
    return scored.sort((a, b) => b.score - a.score).slice(0, count)
      .map(({ participant }) => participant);
  }

  #place(feed: Feed, former: ReadonlyMap<string, OwnerClass>): void {
    const { own, lists } = this.#input!;
    const holding: string[] = [OWN_LIST];
    let domain = own.domainOf(feed) ?? feed.domain, suffixes = own.suffixes;
    if (own.domainOf(feed) !== undefined) holding.push(own.digest);
    for (const [digest, list] of lists) {
      const named = list.domainOf(feed);
      if (named === undefined) continue;
      holding.push(digest);
      const order = compareSuffixes(list.suffixes, suffixes);
      if (order < 0 || (order === 0 && named < domain)) {
        domain = named;
        suffixes = list.suffixes;
      }
    }
    const key = this.#large.has(domain) ? feed.feed : domain;
    const id = `${key} ${holding.join(" ")}`;
    const known = this.#classes.get(id) ?? former.get(id);
    const owned = known ?? this.#decided({ key: seedOfHash(key), lists: holding });
    this.#classes.set(id, owned);
    feed.ownerClass = owned;
  }

  #decided({ key, lists }: Pick<OwnerClass, "key" | "lists">): OwnerClass {
    return { key, lists, ...this.#best(key, lists) };
  }

  #decide(owned: OwnerClass, joined: readonly ScoredParticipant[]): void {
    const { key, lists, owner } = owned;
    if (owner && this.#participants.get(owner.server) !== owner) {
      Object.assign(owned, this.#best(key, lists));
      return;
    }
    for (const participant of joined) {
      if (lists.includes(participant.list)) consider(owned, participant, key);
    }
  }

  #best(key: Seed, lists: readonly string[]): Pick<OwnerClass, "owner" | "score"> {
    const best = { owner: undefined, score: 0 };
    for (const list of lists) {
      for (const participant of this.#byList.get(list) ?? []) consider(best, participant, key);
    }
    return best;
  }
}

function consider(
  best: { owner: ScoredParticipant | undefined; score: number },
  participant: ScoredParticipant,
  key: Seed,
): void {
  const score = scoreOf(participant.seed, participant.weight, key);
  const isBetter = score > best.score ||
    (score === best.score && best.owner !== undefined && participant.server < best.owner.server);
  if (!isBetter) return;
  best.owner = participant;
  best.score = score;
}

/** Domains that are too large to be kept together, by any list and the least number of all. */
function largeDomains(lists: readonly ListSummary[]): Set<string> {
  const most = Math.min(...lists.map(({ maxPerDomain }) => maxPerDomain));
  const large = new Set<string>();
  for (const { largeDomains } of lists) {
    for (const [domain, count] of largeDomains) if (count > most) large.add(domain);
  }
  return large;
}
