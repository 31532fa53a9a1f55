/**
 * Keeps the presence of a running `watch`: writes it regularly, lists those of others when somebody
 * needs that, and deletes it at the end.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Deadline, withDeadline } from "../base/deadline.ts";
import { AutoResetEvent } from "../base/event.ts";
import { OnceLog } from "../base/once_log.ts";
import { messageOf } from "../errors.ts";
import type { DatedPresence } from "../log/fleet/names.ts";
import type { Core } from "../state/core.ts";
import { type FleetMember, TURNS_INTERVAL_MS } from "./member.ts";
import { Namesakes } from "./namesakes.ts";

const logger = getLogger(["feedsync", "fleet"]);

/** Delay between the first two listings where neither turns nor peers need them. */
const SECOND_LOOK_MS = 50_000;

/** Delay between later ones. */
export const LOOK_MS: number = 60 * 60 * 1000;

/** Time limit for a write that is under way at the end, for the last work, and for the goodbye. */
const GOODBYE_MS = 2_000;

/** Part by which delays vary, so that servers do not all write at once. */
const JITTER = 0.1;

/** Mean delay between two looks whether a presence is due that is written every `intervalMs`. */
export function meanBeatMs(intervalMs: number): number {
  return Math.min(TURNS_INTERVAL_MS, intervalMs);
}

/** What stands on the presences of others, and is done after each listing. */
export interface FleetWork {
  /** Whether each presence that is written is followed by a listing. */
  readonly needsListings?: boolean | undefined;
  /** Called after each listing; a failure is logged. */
  readonly onListing?: (
    listing: readonly DatedPresence[],
    options: { readonly signal: AbortSignal },
  ) => Promise<void>;
  /** Called once a minute while turns are taken, and at the end. */
  readonly onTurn?: (
    options: { readonly isLast: boolean; readonly signal: AbortSignal },
  ) => Promise<void>;
}

/** Options of {@linkcode FleetKeeper}. */
export interface KeeperOptions {
  /** This server. */
  readonly member: FleetMember;
  /** What else is done. @default nothing */
  readonly work?: FleetWork | undefined;
}

/** Keeps the presence until it is disposed of. */
export class FleetKeeper implements AsyncDisposable {
  readonly #core: Core;
  readonly #options: KeeperOptions;
  readonly #problems: OnceLog;
  readonly #namesakes: Namesakes;
  readonly #stopping = new AbortController();
  readonly #wakeUp: AutoResetEvent;
  #hasBegun = false;
  #isRenewed = false;
  #running: Promise<void> | undefined;
  /** When the presences were listed; the first listing needs a second one to compare with. */
  #lookedAt = -Infinity;
  #looks = 0;
  #isToldAlone = false;

  /** Does nothing yet. */
  constructor(core: Core, options: KeeperOptions) {
    this.#core = core;
    this.#options = options;
    this.#problems = new OnceLog(logger, core.environment.clock);
    this.#namesakes = new Namesakes(core);
    this.#wakeUp = new AutoResetEvent(core.environment.clock);
  }

  /** Begins, unless it has begun. */
  start(): void {
    if (this.#running || this.#stopping.signal.aborted) return;
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Writes the presence now, since much has changed. */
  renew(): void {
    this.#isRenewed = true;
    this.#wakeUp.set();
  }

  /** Deletes the presence, after the last work. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#wakeUp.set();
    if (!this.#running) return;
    await this.#running;
    const { member, work } = this.#options;
    if (member.takesTurns) await this.#lastly((signal) => work?.onTurn?.({ isLast: true, signal }));
    await this.#lastly((signal) => member.leave({ signal }));
  }

  /** Does something for the last time, if it takes no longer than it may. */
  async #lastly(
    work: (signal: AbortSignal) => Promise<void> | undefined,
  ): Promise<void> {
    const { clock } = this.#core.environment;
    try {
      await withDeadline(work, { clock, timeoutMs: GOODBYE_MS });
    } catch (error) {
      logger.debug("Cannot say goodbye to the fleet: {message}", { message: messageOf(error) });
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { random } = this.#core.environment;
    while (!signal.aborted) {
      await this.#beat(signal);
      const jitter = JITTER * (random.fraction() - 0.5);
      await this.#wakeUp.wait(this.#options.member.beatMs * (1 + jitter));
    }
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { member, work } = this.#options;
    const isRenewed = this.#isRenewed;
    this.#isRenewed = false;
    const { clock } = this.#core.environment;
    // A write that is given up may take effect after the goodbye.
    using writing = new Deadline(clock, signal, { graceMs: GOODBYE_MS });
    try {
      if (!this.#hasBegun) member.begin();
      this.#hasBegun = true;
      const written = await member.keep({ isRenewed, signal: writing.signal });
      const isTurn = member.takesTurns;
      if (isTurn || this.#isLookDue(written !== undefined)) await this.#look(signal);
      if (isTurn) await work?.onTurn?.({ isLast: false, signal });
      this.#problems.resolved("presence", { text: "Other servers can see this one again" });
    } catch (error) {
      if (signal.aborted) return;
      this.#problems.problem("presence", {
        text: "Cannot tell other servers that this one is running, trying again: {message}",
        properties: { message: messageOf(error) },
      });
    }
  }

  /** Whether to list: if somebody needs it, at the start, a minute later, and every hour. */
  #isLookDue(isWritten: boolean): boolean {
    const isNeeded = this.#options.work?.needsListings || this.#namesakes.isUndecided;
    if (isWritten && isNeeded) return true;
    const delayMs = this.#looks < 2 ? SECOND_LOOK_MS : LOOK_MS;
    return this.#core.environment.clock.elapsed() - this.#lookedAt >= delayMs;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { member, work } = this.#options;
    const listing = await member.look({ signal });
    this.#looks++;
    this.#lookedAt = this.#core.environment.clock.elapsed();
    const { own } = member;
    if (own) this.#namesakes.observe(listing, own);
    this.#tellAlone(listing);
    await work?.onListing?.(listing, { signal });
  }

  /** Says once, after a minute, that no other server was seen: the bucket's name may be wrong. */
  #tellAlone(listing: readonly DatedPresence[]): void {
    if (this.#isToldAlone || this.#looks < 2) return;
    this.#isToldAlone = true;
    const { log } = this.#core, server = this.#options.member.own?.server;
    const seen = [...log.servers, ...listing.map((name) => name.server)];
    if (seen.some((name) => name !== server)) return;
    logger.info("No other server was seen in {store}: is the bucket's name right?", {
      store: log.url,
    });
  }
}
