import { readVersion } from "../../lib/base/version.ts";
import { Chance } from "../sim/chance.ts";
import { Timeline } from "../sim/timeline.ts";
import { Bucket } from "./bucket.ts";
import { EVERY_MS, makeFeeds, missingInHalf, type SimFeed } from "./feeds.ts";
import { Ledger } from "./ledger.ts";
import { Server } from "./server.ts";

const MINUTE_MS = 60_000, HOUR_MS = 60 * MINUTE_MS;

/** What is simulated. */
export interface Setting {
  readonly servers: number;
  readonly feeds: number;
  readonly hours: number;
  readonly seed: number;
  /** Minimum delay between two asks of an application that has nothing to fetch. */
  readonly pauseMs: number;
}

/** How many servers meet with what. */
export interface Fates {
  readonly crashes: number;
  readonly joins: number;
  readonly stops: number;
  readonly cutOffs: number;
}

/** All servers start within this time, and what they do is counted after that one. */
const START_MS = 5 * MINUTE_MS, WARM_UP_MS = 45 * MINUTE_MS;

/** How long the store is out for everybody. */
export const OUTAGE_MS: number = 10 * MINUTE_MS;

/** What happens before the end must show its consequences. */
const REST_MS = 25 * MINUTE_MS;

/** A fleet, its bucket, and what happens to them. */
export class World {
  readonly timeline = new Timeline();
  readonly chance: Chance;
  readonly bucket = new Bucket();
  readonly feeds: readonly SimFeed[];
  readonly ledger: Ledger;
  readonly pauseMs: number;
  readonly fates: Fates;
  readonly servers: Server[] = [];
  /** Requests after the warm-up, by kind. */
  readonly requests = new Map<string, number>();
  /** Minutes of servers after the warm-up. */
  serverMinutes = 0;
  /** Calls of `due`. */
  asks = 0;
  readonly failures: string[] = [];
  readonly #setting: Setting;
  readonly #begin: number;
  readonly #end: number;
  readonly #outageAt: number;
  /** Times at which something happens to a server, in order. */
  readonly #busy = new Set<Server>();

  constructor(setting: Setting) {
    const { seed, hours, pauseMs, servers } = setting;
    this.#setting = setting;
    this.pauseMs = pauseMs;
    this.chance = new Chance(seed);
    this.feeds = makeFeeds(setting.feeds, this.chance);
    this.#begin = this.timeline.now;
    this.#end = this.#begin + hours * HOUR_MS;
    this.ledger = new Ledger(this.feeds, this.#begin + WARM_UP_MS);
    this.#outageAt = this.#begin + WARM_UP_MS + 0.6 * (hours * HOUR_MS - WARM_UP_MS);
    this.fates = fatesOf(servers, hours);
  }

  /** Lets everything happen. */
  async run(): Promise<void> {
    await readVersion(); // Later it takes no time.
    const { servers } = this.#setting, { timeline, chance } = this;
    for (let index = 0; index < servers; index++) {
      const server = this.#addServer(index === servers - 1);
      timeline.after(chance.between(0, START_MS), () => server.start());
    }
    this.#planFates();
    this.#countMinutes();
    while (timeline.now < this.#end && this.failures.length === 0) {
      if (!await timeline.step()) break;
    }
    this.ledger.finish(timeline.now);
  }

  /** Whether the store answers a server. */
  isReachable({ cutOffUntil }: Server): boolean {
    const { now } = this.timeline;
    return now >= cutOffUntil && !(now >= this.#outageAt && now < this.#outageAt + OUTAGE_MS);
  }

  count(kind: string, requests: number): void {
    if (this.timeline.now < this.ledger.from) return;
    this.requests.set(kind, (this.requests.get(kind) ?? 0) + requests);
  }

  /** Ends the run. */
  fail(message: string): void {
    this.failures.push(message);
  }

  #addServer(isRare: boolean): Server {
    const index = this.servers.length;
    const feeds = index % 2 === 1
      ? this.feeds
      : this.feeds.slice(0, -missingInHalf(this.feeds.length));
    const twin = this.servers[index - 2];
    const server = new Server(this, {
      index,
      feeds: twin?.feeds ?? feeds,
      urls: twin?.urls ?? feeds.map(({ url }) => url),
      askedEveryMs: isRare ? EVERY_MS : MINUTE_MS,
    });
    this.servers.push(server);
    return server;
  }

  #countMinutes(): void {
    if (this.timeline.now >= this.ledger.from) {
      this.serverMinutes += this.servers.filter(({ process }) => process).length;
    }
    this.timeline.after(MINUTE_MS, () => this.#countMinutes());
  }

  #planFates(): void {
    const { crashes, joins, stops, cutOffs } = this.fates;
    for (let i = 0; i < crashes; i++) this.#at(() => this.#crash(i % 2 === 0));
    for (let i = 0; i < joins; i++) this.#at(() => this.#join());
    for (let i = 0; i < stops; i++) this.#at(() => this.#stop());
    for (let i = 0; i < cutOffs; i++) this.#at(() => this.#cutOff());
    this.timeline.after(
      this.#outageAt - this.timeline.now,
      () => this.#noteCause("outage", OUTAGE_MS + EVERY_MS),
    );
  }

  /** At some time, but not so near to the outage that its consequences are those of that. */
  #at(happen: () => void): void {
    const { timeline, chance } = this;
    const from = this.ledger.from, until = this.#end - REST_MS;
    let time = chance.between(from, until);
    for (let tries = 0; tries < 100 && this.#isNearOutage(time); tries++) {
      time = chance.between(from, until);
    }
    timeline.after(time - timeline.now, happen);
  }

  #isNearOutage(time: number): boolean {
    return time > this.#outageAt - 20 * MINUTE_MS && time < this.#outageAt + 30 * MINUTE_MS;
  }

  #crash(losesState: boolean): void {
    const server = this.#pick();
    if (!server) return;
    this.ledger.noteCrash(server.index, this.timeline.now);
    this.#noteCause("crash", 30 * MINUTE_MS);
    server.crash();
    if (losesState) server.loseState();
    this.#later(this.chance.between(40, 90), () => {
      this.#noteCause("join", 10 * MINUTE_MS);
      server.start();
      this.#busy.delete(server);
    });
  }

  #join(): void {
    this.#noteCause("join", 10 * MINUTE_MS);
    this.#addServer(false).start();
  }

  async #stop(): Promise<void> {
    const server = this.#pick();
    if (!server) return;
    this.#noteCause("stop", 30 * MINUTE_MS);
    await server.stop();
    this.#later(this.chance.between(0.2, 15), () => {
      this.#noteCause("join", 10 * MINUTE_MS);
      server.start();
      this.#busy.delete(server);
    });
  }

  #cutOff(): void {
    const server = this.#pick();
    if (!server) return;
    const minutes = this.chance.between(5, 30);
    this.#noteCause("cut-off", minutes * MINUTE_MS + EVERY_MS);
    server.cutOffUntil = this.timeline.now + minutes * MINUTE_MS;
    this.#later(minutes + 30, () => this.#busy.delete(server));
  }

  /** A server to which nothing has happened of late. */
  #pick(): Server | undefined {
    const servers = this.servers.filter((server) =>
      !server.isCron && server.process && !this.#busy.has(server)
    );
    if (servers.length === 0) return undefined;
    const server = this.chance.pick(servers);
    this.#busy.add(server);
    return server;
  }

  #noteCause(cause: Parameters<Ledger["noteCause"]>[0], ms: number): void {
    this.ledger.noteCause(cause, this.timeline.now, this.timeline.now + ms);
  }

  #later(minutes: number, happen: () => void): void {
    this.timeline.after(minutes * MINUTE_MS, happen);
  }
}

/** In a day one of ten servers crashes, and one in twenty stops for an upgrade. */
function fatesOf(servers: number, hours: number): Fates {
  const part = Math.min(1, hours / 24);
  const atLeast = (least: number, count: number) => Math.max(least, Math.round(count * part));
  return {
    crashes: atLeast(1, servers / 10),
    joins: atLeast(1, Math.min(5, servers / 20)),
    stops: atLeast(1, servers / 20),
    cutOffs: atLeast(1, Math.min(5, servers / 50)),
  };
}
