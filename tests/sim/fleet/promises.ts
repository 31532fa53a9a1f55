import type { CheckedFeed } from "../../../lib/fleet/turns/outcome.ts";
import type { DueTurn, Turn } from "../../../lib/fleet/turns/turn.ts";
import { hashOf } from "../../../lib/update.ts";
import { HOUR, MINUTE } from "./mix.ts";
import type { FleetProcess } from "./process.ts";
import { type Answer, ANSWER_MS } from "./publishers.ts";
import type { FleetServer } from "./server.ts";
import type { FleetWorld } from "./world.ts";

/** A feed that was handed out is not handed out again for so long. */
const LEASE_MS = 5 * MINUTE;

/** A feed may come so much earlier than its interval. */
const EARLIEST = 0.9;

/** The store's clock is only known to about a second. */
const CLOCK_TOLERANCE_MS = 2000;

/** A write that was reported as failed lands within so long. */
const LATE_WRITE_MS = MINUTE;

/** What servers promise about turns: it is checked at each answer, and every minute. */
export class Promises {
  readonly #world: FleetWorld;
  /** When each feed was fetched last, and by whom: its name. */
  readonly #fetchedAt = new Map<string, number>();
  readonly #fetchedBy = new Map<string, string>();
  /** When its next turn is at the latest, if all is well. */
  readonly #nextAt = new Map<string, number>();
  /** When nobody who could fetch it was asking for a feed. */
  readonly #unclaimedAt = new Map<string, number>();
  /** When a server was last there and asking for a feed, by name and feed. */
  readonly #presentAt = new Map<string, number>();
  /** What publishers have asked for, of anybody. */
  readonly #holds = new Map<string, { readonly until: number; readonly at: number }>();
  /** Contents that some server has, or had. */
  readonly #contents = new Set<string>();

  constructor(world: FleetWorld) {
    this.#world = world;
  }

  /** A server was answered. */
  answered(process: FleetProcess, turns: readonly Turn[]): void {
    for (const turn of turns) {
      if (turn.due || turn.reason !== "owner" || turn.owner === undefined) continue;
      this.#checkOwner(process, turn.url, turn.owner);
    }
  }

  /** A server begins to fetch a feed. */
  fetches(process: FleetProcess, { url, validators }: DueTurn): void {
    const { timeline: { now } } = this.#world;
    this.#checkOwnTurn(process, url);
    this.#checkHolds(process, url);
    this.#checkValidators(process, url, validators.etag);
    this.#checkDouble(process, url);
    this.#fetchedAt.set(url, now);
    this.#fetchedBy.set(url, process.server.name);
    process.disk.leases.set(url, now + LEASE_MS - CLOCK_TOLERANCE_MS);
    this.#world.coverage.fetches++;
    this.#world.coverage.conditional += validators.etag === undefined ? 0 : 1;
  }

  /** A publisher answers. */
  gets(process: FleetProcess, { url, validators: { etag } }: DueTurn, answer: Answer): void {
    const { timeline: { now }, mix: { everyMs } } = this.#world;
    this.#nextAt.set(url, now + 1.05 * everyMs);
    if (answer.content !== undefined) this.#contents.add(answer.content);
    if (answer.status !== 304) return;
    const content = this.#world.publishers.contentOf(etag ?? "");
    if (content === undefined || !this.#contents.has(content)) {
      process.fail(`${url} answered 304 for a content that nobody has: ${content}`);
    }
  }

  /** A server is about to tell what came of a fetch. */
  tells({ disk, server: { habits: { tells } } }: FleetProcess, url: string, answer: Answer): void {
    disk.leases.delete(url);
    const { content } = answer;
    if (tells === "content" && content !== undefined) disk.named.set(url, hashOf({ content })!);
  }

  /** A server has told what came of a fetch. */
  told(process: FleetProcess, url: string, answer: Answer, { next }: CheckedFeed): void {
    const { timeline: { now }, mix: { everyMs }, coverage } = this.#world;
    const { status, pauseMs } = answer, nextAt = Date.parse(next);
    const isOk = status !== undefined && (status < 400 || status === 410);
    this.#nextAt.set(url, nextAt);
    process.disk.checkedAt.set(url, now);
    if (nextAt > now + 24 * HOUR + CLOCK_TOLERANCE_MS) process.fail(`${url} waits until ${next}`);
    const longestMs = Math.max(1.05 * everyMs, pauseMs) + 3 * CLOCK_TOLERANCE_MS;
    if (isOk && nextAt > now + longestMs) {
      process.fail(`${url} waits until ${next} after ${status}`);
    }
    // Of a feed, the publisher's last word counts.
    for (const { disk } of this.#world.servers) disk.holds.delete(url);
    this.#holds.delete(url);
    if (pauseMs === 0) return;
    coverage.holds++;
    const [key] = this.#scopes(url, answer.scope);
    const hold = { until: now + pauseMs - CLOCK_TOLERANCE_MS, at: now };
    for (const held of new Set([url, key])) {
      process.disk.holds.set(held, hold);
      this.#holds.set(held, hold);
    }
  }

  /** Once a minute: whoever is asked for must be fetched. */
  sample(): void {
    const { timeline: { now }, publishers, servers } = this.#world;
    const asking = servers.filter((server) => server.isAsking && server.isClear);
    for (const { name, list } of asking) {
      for (const url of list) this.#presentAt.set(`${name} ${url}`, now);
    }
    const { calmFrom } = this.#world;
    for (const url of publishers.feeds.keys()) {
      if (!asking.some(({ list }) => list.has(url))) this.#unclaimedAt.set(url, now);
      else if (now > calmFrom) this.#checkStarving(url, calmFrom);
    }
  }

  #checkStarving(url: string, calmFrom: number): void {
    const { timeline: { now }, slowestAskMs, mix, publishers } = this.#world;
    const holds = this.#scopes(url).map((key) => this.#holds.get(key)?.until ?? 0);
    const since = Math.max(
      calmFrom,
      this.#nextAt.get(url) ?? 0,
      this.#unclaimedAt.get(url) ?? 0,
      ...holds,
    );
    const { domain } = publishers.feeds.get(url)!;
    const siblings = [...publishers.feeds.values()].filter((feed) => feed.domain === domain);
    const patienceMs = 2 * slowestAskMs + 2 * MINUTE +
      siblings.length * (ANSWER_MS + 6 * mix.latency);
    if (now <= since + patienceMs) return;
    const fetchedAt = this.#fetchedAt.get(url);
    const minutes = fetchedAt === undefined
      ? "ever"
      : `for ${Math.round((now - fetchedAt) / MINUTE)}m`;
    this.#world.fail(`${url} was not fetched ${minutes}, though somebody asks for it`);
  }

  /** Nobody counts as owner who is gone for long. */
  #checkOwner({ server, startedAt, world }: FleetProcess, url: string, owner: string): void {
    const { timeline: { now }, servers } = this.#world;
    const namesakes = servers.filter(({ name }) => name === owner);
    const canFetch = ({ isAsking, isClear, list }: FleetServer) =>
      isAsking && isClear && list.has(url);
    if (namesakes.some(canFetch)) return;
    const { cutUntil, stormUntil, blindUntil, troubledAt } = server;
    const isRunning = namesakes.some(({ process }) => process !== undefined);
    const since = Math.max(
      this.#presentAt.get(`${owner} ${url}`) ?? 0,
      ...[startedAt, cutUntil, stormUntil, blindUntil, troubledAt],
    );
    if (now <= since + LATE_WRITE_MS + world.settlingMs({ isIdle: isRunning })) return;
    world.fail(
      `${server.label}: ${owner} still counts as owner of ${url} ` +
        `${Math.round((now - since) / MINUTE)}m after it was gone`,
    );
  }

  /** What a state knows is never forgotten. */
  #checkOwnTurn(process: FleetProcess, url: string): void {
    const { timeline: { now }, mix: { everyMs }, publishers } = this.#world;
    const { checkedAt, leases } = process.disk;
    const delayMs = now - (checkedAt.get(url) ?? -Infinity);
    if (delayMs < EARLIEST * everyMs - CLOCK_TOLERANCE_MS) {
      process.fail(`${url} is fetched ${Math.round(delayMs / 1000)}s after its last check here`);
    }
    const { domain } = publishers.feeds.get(url)!;
    for (const [leased, until] of leases) {
      if (until <= now || publishers.feeds.get(leased)!.domain !== domain) continue;
      process.fail(`${url} is handed out, while ${leased} is`);
    }
  }

  #checkHolds(process: FleetProcess, url: string): void {
    const { timeline: { now }, doubleFrom } = this.#world;
    for (const key of this.#scopes(url)) {
      const own = process.disk.holds.get(key), any = this.#holds.get(key);
      if (own && own.until > now) process.fail(`${url} is fetched, though ${key} asked to wait`);
      // Of hosts and domains, others learn only with the feeds that they take over.
      const isHeld = any && any.at >= doubleFrom && any.until > now;
      if (key === url && isHeld && !this.#isUnseen(process, url)) {
        process.fail(`${url} is fetched, though ${key} asked another server to wait`);
      }
    }
  }

  #checkDouble(process: FleetProcess, url: string): void {
    const { timeline: { now }, mix: { everyMs }, doubleFrom } = this.#world;
    const before = this.#fetchedAt.get(url) ?? -Infinity;
    if (now - before >= EARLIEST * everyMs - CLOCK_TOLERANCE_MS) return;
    this.#world.coverage.early++;
    if (before < doubleFrom) return;
    if (this.#isUnseen(process, url)) return;
    process.fail(`${url} is fetched ${Math.round((now - before) / 1000)}s after another fetch`);
  }

  /**
   * Whether two servers may fetch a feed that is in their lists only: nobody sees the list of a
   * server whose name another one bears.
   */
  #isUnseen({ server: { name } }: FleetProcess, url: string): boolean {
    const names = new Set([name, this.#fetchedBy.get(url) ?? name]);
    const isBorneTwice = (name: string) =>
      this.#world.servers.filter((server) => server.name === name && server.process).length > 1;
    return names.size === 2 && [...names].every(isBorneTwice);
  }

  /** A wrong 304 would hide a content. */
  #checkValidators(process: FleetProcess, url: string, etag: string | undefined): void {
    if (etag === undefined) return;
    const content = this.#world.publishers.contentOf(etag);
    const hash = content === undefined ? undefined : hashOf({ content });
    const known = process.state.newest.get(url)?.hash ?? process.disk.named.get(url);
    if (known === hash) return;
    process.fail(`${url} is fetched with ${etag}, which is not of the newest content known`);
  }

  /** What a publisher may ask to be left alone, by its scope. */
  #scopes(url: string, scope?: Answer["scope"]): string[] {
    const { host, domain } = this.#world.publishers.feeds.get(url)!;
    const scopes = { url, host: `//${host}`, domain };
    return scope ? [scopes[scope]] : Object.values(scopes);
  }
}
