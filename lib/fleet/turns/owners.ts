/**
 * Keeps the owners of feeds as the fleet changes. A feed that comes from another server is not
 * fetched before it is known when that server has checked it last.
 *
 * @module
 */
import { forEachConcurrently } from "../../base/concurrently.ts";
import type { Core } from "../../state/core.ts";
import { type FleetMember, MAX_TIMES, TURNS_INTERVAL_MS } from "../member.ts";
import { type FleetView, LIVES } from "../view.ts";
import { isWithin } from "../written_presence.ts";
import type { Asks } from "./asks.ts";
import type { Feed } from "./feed.ts";
import type { FeedTable } from "./feed_table.ts";
import type { ForeignLists, ListSummary } from "./foreign_lists.ts";
import type { Handover } from "./handover.ts";
import { Ownership } from "./ownership.ts";
import { type Participant, participantsOf } from "./participants.ts";
import { CLOCK_TOLERANCE_MS } from "./schedule.ts";

/** A former owner that is present needs so long to see that it has lost feeds, and to say so. */
export const HANDOVER_MS: number = 2 * 60 * 1000;

/** An application that asks more often sees the fleet as it was then. */
const UPDATE_MS = 5_000;

/** Number of servers of which one has probably checked a feed until now. */
const FORMER_OWNERS = 3;

/** Number of former owners whose checks are read at the same time. */
const CONCURRENCY = 4;

/** After a goodbye, others take a server for gone as soon as two listings lack it. */
const RESTART_LIVES = 1.5;

/** For so many looks whoever was away may take servers for present that have long been gone. */
const RETURN_LOOKS = LIVES + 2;

/** What owners are decided by. */
export interface OwnersOptions {
  /** Name of this server. */
  readonly server: string;
  /** Its weight, as long as no presence says another one. */
  readonly weight: number;
  readonly member: FleetMember;
  readonly table: FeedTable;
  readonly asks: Asks;
  readonly lists: ForeignLists;
  readonly handover: Handover;
}

/** What has changed beside the fleet. */
export interface UpdateOptions {
  /** Feeds that the application asks for, which it did not before. */
  readonly added: readonly Feed[];
  /** Feeds that another process of this server was asked for. */
  readonly loaded: readonly Feed[];
  /** Whether the hashes of all feeds are others. */
  readonly isRehashed: boolean;
  readonly signal: AbortSignal;
}

/** The owners of all feeds that were asked for. */
export class Owners {
  readonly #core: Core;
  readonly #options: OwnersOptions;
  readonly #ownership = new Ownership();
  /** The participants by which owners were told, as JSON, and when they were listed. */
  #view: string | undefined;
  #viewId = 0;
  #lookedAt = -1;
  #updatedAt = -Infinity;
  /** Whether lists or feeds have changed since owners were told. */
  #isStale = false;
  #digests = new Set<string>();
  /** Feeds that have no owner yet. */
  readonly #unplaced = new Set<Feed>();

  /** Knows nothing yet. */
  constructor(core: Core, options: OwnersOptions) {
    this.#core = core;
    this.#options = options;
  }

  /** Has the owners follow the fleet. */
  async update({ added, loaded, isRehashed, signal }: UpdateOptions): Promise<void> {
    const { asks, lists, member } = this.#options;
    for (const feed of added) this.#unplaced.add(feed);
    const isFirst = this.#view === undefined;
    const isRelisted = asks.relist({ isForced: isRehashed });
    const age = this.#core.log.now() - this.#updatedAt;
    this.#isStale ||= isRelisted || isRehashed || lists.isOutdated;
    const isIdle = !this.#isStale && loaded.length + this.#unplaced.size === 0;
    if (isIdle && age >= 0 && age < UPDATE_MS) return;
    if (isRelisted) lists.keepOwn(asks.list!.digest, asks.list!.encoded.body);
    if (isFirst) await this.#recall(signal);
    for (const feed of loaded) this.#adoptFeed(feed);
    const { intervalMs = TURNS_INTERVAL_MS } = this.#core.state.fleet.turns() ?? {};
    const view = await member.takeTurns(asks.list!.encoded, {
      until: this.#core.log.now() + asks.idleMs,
      askedEveryMs: asks.toldEveryMs,
      signal,
    });
    const isNew = view.lookedAt !== this.#lookedAt;
    if (isNew) this.#digests = digestsIn(view);
    const isLearnt = await lists.learn(this.#foreign(), signal);
    if (isRehashed || lists.isOutdated) lists.summarize();
    const isResorted = this.#isStale || isLearnt;
    if (isResorted) this.#setLists();
    else for (const feed of this.#unplaced) this.#ownership.add(feed);
    if (isNew) this.#follow(view, intervalMs);
    else if (isResorted) this.#act(this.#current());
    else if (this.#unplaced.size > 0) this.#act([...this.#unplaced]);
    this.#unplaced.clear();
    await this.#takeOver(view, signal);
    this.#updatedAt = this.#core.log.now();
  }

  /** Begins with the view that this server, or another process of it, has acted upon last. */
  async #recall(signal: AbortSignal): Promise<void> {
    const { lists } = this.#options, { turns } = this.#core.state;
    const participants = this.#knownParticipants();
    const digests = participants.map(({ list }) => list);
    this.#digests = new Set(digests.filter((digest) => turns.list(digest) !== undefined));
    await lists.learn(this.#foreign(), signal);
    this.#setLists();
    this.#adopt(participants);
  }

  /** Takes over owners as they are: whoever acted upon that view has noted what it had to. */
  #adopt(participants: readonly Participant[]): void {
    const { turns } = this.#core.state;
    this.#viewId = Number(turns.fact("turnsViewId") ?? 0);
    this.#view = JSON.stringify(participants);
    this.#ownership.setParticipants(participants);
    if (participants.length === 0) return;
    for (const feed of this.#current()) if (!this.#unplaced.has(feed)) this.#setOwner(feed);
  }

  /** Takes over the owner of a feed that another process was asked for. */
  #adoptFeed(feed: Feed): void {
    this.#ownership.add(feed);
    this.#setOwner(feed);
  }

  #knownParticipants(): Participant[] {
    return JSON.parse(String(this.#core.state.turns.fact("turnsView") ?? "[]"));
  }

  /**
   * Takes over a new view, and acts upon it if others take part than before. Until now, the presence
   * was to be written every `intervalMs`.
   */
  #follow(view: FleetView, intervalMs: number): void {
    const { turns } = this.#core.state;
    const actedAt = Number(turns.fact("turnsViewedAt") ?? Infinity);
    const knownId = Number(turns.fact("turnsViewId") ?? 0);
    if (knownId !== this.#viewId) this.#adopt(this.#knownParticipants());
    const participants = participantsOf(view.members, this.#options);
    const text = JSON.stringify(participants);
    const wasAway = this.#wasAway(actedAt, intervalMs);
    if (wasAway || this.#view === "[]") {
      turns.setFact("turnsReturnedAt", Math.round(this.#core.log.now()));
    }
    this.#lookedAt = view.lookedAt;
    this.#ownership.setParticipants(participants);
    if (text !== this.#view || wasAway) {
      this.#act(this.#current(), { wasAway });
      this.#view = text;
      turns.setFact("turnsView", text);
      turns.setFact("turnsViewId", ++this.#viewId);
    } else this.#act(this.#current());
    turns.setFact("turnsViewedAt", Math.round(this.#core.log.now()));
  }

  /**
   * Whether others must have thought that this server was gone, since it last acted upon a view. What
   * a process before has written is not known: it may have said goodbye.
   */
  #wasAway(actedAt: number, intervalMs: number): boolean {
    const written = this.#core.state.fleet.presence()?.written ?? [];
    const isWhole = written.length > 0 && written.length < MAX_TIMES;
    if (isWhole && written[0] - actedAt > RESTART_LIVES * intervalMs) return true;
    return written.some((time, index) =>
      index > 0 && time > actedAt && time - written[index - 1] > LIVES * intervalMs
    );
  }

  /** Acts upon changed owners: feeds that are lost are handed over, others wait for their checks. */
  #act(feeds: readonly Feed[], { wasAway = false } = {}): void {
    const { table } = this.#options, { turns } = this.#core.state;
    const changed = feeds.filter((feed) => wasAway || this.#isChanged(feed));
    if (changed.length === 0) return;
    const now = Math.round(this.#core.log.now()), isBack = this.#hasJustReturned();
    table.change(() => {
      let isLost = false;
      for (const feed of changed) {
        const { isOurs: wasOurs, owner: known, takenFrom } = feed;
        this.#setOwner(feed);
        if (wasOurs && !feed.isOurs) isLost = true;
        const former = feed.isOurs
          ? this.#former(feed, { known, wasOurs, wasAway, isBack })
          : undefined;
        if (former === undefined && (takenFrom === null || feed.isOurs)) continue;
        feed.takenFrom = former ?? null;
        feed.takenAt = now;
        table.touch(feed);
      }
      if (isLost) turns.setFact("checksAwaited", 1);
    });
  }

  /**
   * Who has checked the feed until now; undefined: nobody else. A server that has just come, or come
   * back, cannot know whose feeds had been taken over: it asks the next owners, too.
   */
  #former(
    feed: Feed,
    { known, wasOurs, wasAway, isBack }: {
      readonly known: string | undefined;
      readonly wasOurs: boolean;
      readonly wasAway: boolean;
      readonly isBack: boolean;
    },
  ): string | undefined {
    const owner = wasOurs ? undefined : known;
    const isOwnName = known === this.#options.server; // A former run of this server had it.
    if (known !== undefined && !wasAway && (wasOurs || isOwnName || !isBack)) return owner;
    const next = this.#ownership.nextOwnersOf(feed, FORMER_OWNERS).map(({ server }) => server);
    const former = new Set(owner === undefined ? next : [owner, ...next]);
    return former.size > 0 ? [...former].join(" ") : undefined;
  }

  /** Whether this server was away, or new, not long ago. */
  #hasJustReturned(): boolean {
    const { log, state } = this.#core, { beatMs } = this.#options.member;
    const since = Number(state.turns.fact("turnsReturnedAt") ?? 0);
    return isWithin(RETURN_LOOKS * beatMs, { since, now: log.now() });
  }

  /** Reads the checks of former owners, once they are gone or must have written them. */
  async #takeOver(view: FleetView, signal: AbortSignal): Promise<void> {
    const { table, handover } = this.#options;
    const now = this.#core.log.now();
    const present = new Set(view.members.filter(({ isOwn }) => !isOwn).map(({ server }) => server));
    const ready = [...table.taken].filter(({ takenFrom, takenAt }) =>
      formerOwners(takenFrom).every((server) => !present.has(server)) ||
      now >= takenAt + HANDOVER_MS || takenAt > now + CLOCK_TOLERANCE_MS
    );
    if (ready.length === 0) return;
    const feeds = new Set(ready.map(({ feed }) => feed));
    const servers = new Set(ready.flatMap(({ takenFrom }) => formerOwners(takenFrom)));
    await forEachConcurrently(servers, { limit: CONCURRENCY, signal }, async (server, signal) => {
      await handover.readFrom(server, { feeds, signal });
    });
    table.change(() => {
      for (const feed of ready) {
        feed.takenFrom = null;
        table.touch(feed);
      }
    });
  }

  #setLists(): void {
    const { asks, lists } = this.#options;
    const known = [...this.#foreign()].flatMap((digest) => {
      const list = lists.get(digest);
      return list ? [[digest, list] as [string, ListSummary]] : [];
    });
    this.#isStale = false;
    this.#ownership.setLists({ feeds: this.#current(), own: asks.list!, lists: new Map(known) });
  }

  /** Digests of lists that are not the own one. */
  #foreign(): Set<string> {
    const foreign = new Set(this.#digests);
    foreign.delete(this.#options.asks.list!.digest);
    return foreign;
  }

  #current(): Feed[] {
    return [...this.#options.table.all].filter(({ isCurrent }) => isCurrent);
  }

  #isChanged(feed: Feed): boolean {
    const owner = this.#ownership.ownerOf(feed);
    return feed.owner !== (owner?.server ?? this.#options.server) ||
      feed.isOurs !== (owner?.isOwn ?? true);
  }

  /** Where no present server has the feed in its list, it is this server's. */
  #setOwner(feed: Feed): void {
    const owner = this.#ownership.ownerOf(feed);
    feed.owner = owner?.server ?? this.#options.server;
    feed.isOurs = owner?.isOwn ?? true;
    feed.answer = undefined;
  }
}

/** The names of the servers that may have checked a feed until now, the first one most probably. */
export function formerOwners(takenFrom: string | null): string[] {
  return takenFrom === null ? [] : takenFrom.split(" ");
}

function digestsIn({ members }: FleetView): Set<string> {
  return new Set(members.flatMap(({ list, isOwn }) => list === undefined || isOwn ? [] : [list]));
}
