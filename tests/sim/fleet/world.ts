import { createHmac } from "node:crypto";
import type { Envelope } from "../../../lib/log/encryption/envelope.ts";
import { plainEnvelope } from "../../../lib/log/encryption/envelope.ts";
import { MissingKeyError } from "../../../lib/errors.ts";
import { Chance } from "../chance.ts";
import { Timeline } from "../timeline.ts";
import { FleetBucket } from "./bucket.ts";
import { type FleetCoverage, noFleetCoverage } from "./coverage.ts";
import { drawFleetMix, type FleetFocus, type FleetMix, MINUTE } from "./mix.ts";
import type { FleetProcess } from "./process.ts";
import { Promises } from "./promises.ts";
import { Publishers } from "./publishers.ts";
import { FleetServer, type FleetServerOptions } from "./server.ts";

/** How a seed is simulated. */
export interface FleetWorldOptions {
  /** Told all that happens. */
  readonly trace?: (line: string) => void;
  /** What is to happen often. */
  readonly focus?: readonly FleetFocus[];
}

/** What is told of what has changed. */
export interface Change {
  /** Whether it changes what is asked for: that is noticed only after a while. */
  readonly isIdle?: boolean;
  /** Until when it lasts, for everybody. @default now */
  readonly until?: number;
  /** How much longer it takes until nothing is fetched twice, in milliseconds. */
  readonly doubleMs?: number;
  /** Whether even now nothing is fetched twice, if nothing else was wrong. */
  readonly isClean?: boolean;
  /** Whether nothing starves because of it, not even for a while. */
  readonly isHarmless?: boolean;
}

/** Whose lists and checks may be hidden. */
const HIDDEN = /^(?:lists|checks)\//;

/** Everything that one seed simulates. */
export class FleetWorld {
  readonly timeline = new Timeline();
  readonly bucket: FleetBucket;
  readonly chance: Chance;
  readonly mix: FleetMix;
  readonly publishers: Publishers;
  readonly promises: Promises;
  readonly servers: FleetServer[] = [];
  readonly coverage: FleetCoverage = noFleetCoverage();
  /** When something has changed last. */
  readonly #changedAt = { anything: 0, asks: 0, doubling: 0, doublingAsks: 0 };
  /** The first promise that was broken. */
  violation: string | undefined;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #start = this.timeline.now;

  constructor(seed: number, { trace, focus }: FleetWorldOptions) {
    this.chance = new Chance(seed);
    this.#trace = trace;
    this.mix = drawFleetMix(this.chance, focus);
    trace?.(JSON.stringify(this.mix));
    this.bucket = new FleetBucket(this.timeline);
    this.publishers = new Publishers(this.chance, this.mix);
    this.promises = new Promises(this);
    for (let number = 1; number <= this.mix.servers; number++) this.addServer();
    this.disturb();
  }

  /** A new server. */
  addServer(options?: FleetServerOptions): FleetServer {
    const server = new FleetServer(this, `web-${this.servers.length + 1}`, options);
    this.servers.push(server);
    return server;
  }

  /** The longest delay between two asks. */
  get slowestAskMs(): number {
    return Math.max(...this.servers.map(({ habits }) => habits.askEveryMs));
  }

  /** How long it takes until everybody has understood a change; `isIdle`: of what is asked for. */
  settlingMs({ isIdle = false } = {}): number {
    const intervalMs = Math.max(MINUTE, this.bucket.longestInterval);
    const idleMs = isIdle ? Math.max(10 * MINUTE, 4 * this.slowestAskMs) + 2 * MINUTE : 0;
    return 4.5 * intervalMs + 5 * MINUTE + 4 * this.slowestAskMs + 2 * this.mix.lag + idleMs;
  }

  /** From then on, no feed starves. */
  get calmFrom(): number {
    const { anything, asks } = this.#changedAt;
    return Math.max(anything + this.settlingMs(), asks + this.settlingMs({ isIdle: true }));
  }

  /** Feeds that were fetched since then are not fetched too early. */
  get doubleFrom(): number {
    const { doubling, doublingAsks } = this.#changedAt;
    return Math.max(
      doubling + this.settlingMs(),
      doublingAsks + this.settlingMs({ isIdle: true }),
    );
  }

  /** Something changes, which takes everybody a while to understand. */
  disturb(
    { isIdle = false, until = 0, doubleMs = 0, isClean = false, isHarmless = false }: Change = {},
  ): void {
    const changed = this.#changedAt, { now } = this.timeline;
    this.coverage.changes++;
    const isAlone = isClean && this.#isTidy && now > Math.max(this.calmFrom, this.doubleFrom);
    const at = Math.max(now, until);
    if (isHarmless) changed.anything = Math.max(changed.anything, now);
    else if (isIdle) changed.asks = Math.max(changed.asks, at);
    else changed.anything = Math.max(changed.anything, at);
    if (isAlone) return void this.coverage.clean++;
    if (isIdle) changed.doublingAsks = Math.max(changed.doublingAsks, at + doubleMs);
    else changed.doubling = Math.max(changed.doubling, at + doubleMs);
  }

  /** A server has crashed. */
  crashed(server: FleetServer): void {
    this.disturb();
    server.troubledAt = this.timeline.now;
    server.startAfter(this.chance.pick([0, 1, 5, 30]) * MINUTE);
  }

  /** Whether handovers are in time: all look often enough, and see what is there. */
  get #isTidy(): boolean {
    const names = new Set(this.servers.map(({ name }) => name));
    return this.slowestAskMs <= MINUTE / 2 && this.mix.lag === 0 && this.mix.latency <= 100 &&
      names.size === this.servers.length && this.servers.every(({ isClear }) => isClear);
  }

  /** What a server finds at a key. */
  bodyFor({ blindUntil }: FleetServer, key: string): Uint8Array | undefined {
    const body = this.bucket.bodyOf(key);
    const isHidden = !this.mix.isEncrypted && HIDDEN.test(key) && this.timeline.now < blindUntil;
    return isHidden ? body?.subarray(0, body.length / 2) : body;
  }

  /** How a server encrypts: what others have written it cannot read while it is blind. */
  envelopeOf(server: FleetServer): Envelope {
    if (!this.mix.isEncrypted) return plainEnvelope;
    const { timeline } = this;
    return {
      ...plainEnvelope,
      digests: (text) => [createHmac("sha256", "names key").update(text).digest()],
      decrypt(name, stored) {
        if (timeline.now >= server.blindUntil || !HIDDEN.test(name.key)) return stored;
        throw new MissingKeyError(name.key, "lost", "it is not there");
      },
    };
  }

  /** A process deletes objects. */
  deleted(process: FleetProcess, keys: readonly string[]): void {
    for (const key of keys) {
      const writer = this.bucket.writerOf(key) as FleetProcess | undefined;
      const isCopy = writer?.disk.family === process.disk.family;
      if (writer?.alive && writer !== process && !isCopy) {
        process.fail(`deletes ${key} of ${writer.server.label}, which is there`);
      }
      this.bucket.delete(key);
    }
  }

  /** A promise is broken. */
  fail(message: string): void {
    this.note("VIOLATION", message);
    this.violation ??= message;
  }

  /** A line of the trace. */
  note(who: string, what: string): void {
    if (!this.#trace) return;
    const minutes = ((this.timeline.now - this.#start) / MINUTE).toFixed(2);
    this.#trace(`${this.timeline.steps} ${minutes}m ${who}: ${what}`);
  }

  /** Frees what the run took. */
  end(): void {
    for (const server of this.servers) {
      server.process?.die("ends");
      server.closeState();
      server.disk.medium.release();
    }
  }
}
