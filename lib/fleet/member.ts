/**
 * A server's part in the fleet: it says that it is there, and sees who else is.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { OnceLog } from "../base/once_log.ts";
import { ConfigError, messageOf } from "../errors.ts";
import type { EncodedList } from "../log/fleet/feed_list.ts";
import {
  type DatedPresence,
  parsePresenceKey,
  type PresenceName,
  presenceName,
} from "../log/fleet/names.ts";
import type { PresenceReport } from "../log/fleet/presence.ts";
import type { Core } from "../state/core.ts";
import type { StoreOptions } from "../stores/store.ts";
import { Patience } from "./patience.ts";
import { type FleetView, identityOf, latestOf, LIVES, membersOf, seenServers } from "./view.ts";
import { attempted, isWithin, keysLeft, writerOf, writtenBefore } from "./written_presence.ts";

const logger = getLogger(["feedsync", "fleet"]);

/** Delay between presences, and between listings of them, while turns are taken. */
export const TURNS_INTERVAL_MS: number = 60_000;

/** While `watch` looks after the presence, this process need not. */
const KEPT_MS = 2.5 * TURNS_INTERVAL_MS;

/** A list is stored again when it is older: cleanup may have deleted it while nobody named it. */
const LIST_AGE_MS = 12 * 60 * 60 * 1000;

/** The end of turns is noted when it has moved by this part of the interval between asks. */
const COARSE = 1 / 4;

/** Number of times that are remembered when the presence was written. */
export const MAX_TIMES = 32;

/** Dependencies of {@linkcode FleetMember}. */
export interface MemberOptions {
  /** Delay between two presences at first, in milliseconds; `false`: this server writes none. */
  readonly intervalMs: number | false;
  /** Share of the feeds that this server takes. */
  readonly weight: number;
  /** Makes the content of the presence `name`. */
  readonly report: (name: PresenceName) => Promise<PresenceReport>;
}

/** Options of {@linkcode FleetMember.takeTurns}. */
export interface TurnsOptions extends StoreOptions {
  /** When the list is given up unless the application asks again, by the store's clock. */
  readonly until: number;
  /** Observed delay between two asks, in milliseconds. */
  readonly askedEveryMs: number;
}

/** What a server says about itself now. */
export interface OwnReport {
  /** Key of its presence. */
  readonly key: string;
  /** What it says. */
  readonly report: PresenceReport;
}

/** A server's part in the fleet. Processes that share a state share it. */
export class FleetMember {
  readonly #core: Core;
  readonly #options: MemberOptions;
  #configuredMs: number | false;
  readonly #problems: OnceLog;
  readonly #patience: { readonly time: Patience; readonly turns: Patience };
  /** The own presence as it was stored last by this process. */
  #stored: { readonly key: string; readonly body: Uint8Array } | undefined;
  /** Whether the store has told this process the time. */
  #knowsTime = false;
  /** Requests of one process follow each other. */
  #last: Promise<unknown> = Promise.resolve();

  /** Does nothing yet. */
  constructor(core: Core, options: MemberOptions) {
    this.#core = core;
    this.#options = options;
    this.#configuredMs = options.intervalMs;
    this.#problems = new OnceLog(logger, core.environment.clock);
    const { clock } = core.environment;
    this.#patience = { time: new Patience(clock), turns: new Patience(clock) };
  }

  /** The last view, also that of another process with this state. No request is sent. */
  view(): FleetView {
    const { state } = this.#core;
    const { lookedAt = 0, servers = [] } = state.fleet.seen() ?? {};
    return { lookedAt, members: membersOf(servers, this.own) };
  }

  /** The own presence, as it was written last. */
  get own(): PresenceName | undefined {
    const key = this.#core.state.fleet.presence()?.key;
    return key === undefined ? undefined : parsePresenceKey(key);
  }

  /** The own presence, with its bytes as this process has stored them last. */
  get stored(): { readonly key: string; readonly body: Uint8Array } | undefined {
    return this.#stored;
  }

  /** What the own presence would say if it were written now; undefined when there is none. */
  async ownReport(): Promise<OwnReport | undefined> {
    const { own } = this;
    return own && { key: own.key, report: await this.#options.report(own) };
  }

  /** Of a listing the presences of those that are present, the newest of each process. */
  presentIn(listing: readonly DatedPresence[]): DatedPresence[] {
    const seen = new Set((this.#core.state.fleet.seen()?.servers ?? []).map(identityOf));
    return [...latestOf(listing).values()].filter((name) => seen.has(identityOf(name)));
  }

  /** Delay after which the presence may be due again, in milliseconds: at most a minute. */
  get beatMs(): number {
    return Math.min(TURNS_INTERVAL_MS, this.#intervalMs());
  }

  /** From now on the presence is written so often. */
  changeInterval(intervalMs: number | false): void {
    this.#configuredMs = intervalMs;
  }

  /** Whether turns are taken now. */
  get takesTurns(): boolean {
    const { state, log } = this.#core;
    return (state.fleet.turns()?.until ?? 0) > log.now();
  }

  /** Whether a running `watch` writes the presence and lists. */
  get isKept(): boolean {
    const { state, log } = this.#core;
    return isWithin(KEPT_MS, { since: state.fleet.presence()?.keptAt, now: log.now() });
  }

  /** Begins a new process that keeps the presence, with a name of its own. */
  begin(): void {
    const { state, environment: { random } } = this.#core;
    const { key = "", left } = state.fleet.presence() ?? {};
    state.fleet.setPresence({ key, writer: random.token(), written: [], keptAt: 0, left });
  }

  /**
   * Takes turns with this list: stores the list, the presence that names it, and lists the
   * presences, where another process does not do so. If the store cannot be reached, or takes long,
   * the last view remains.
   *
   * @throws {ConfigError} when the configuration says that this server writes no presence.
   * @throws {StoreUnavailableError | AccessDeniedError} when there never was a view.
   */
  async takeTurns(list: EncodedList, options: TurnsOptions): Promise<FleetView> {
    if (this.#configuredMs === false) {
      throw new ConfigError(
        "Cannot take turns: 'presence' is false, so that other servers cannot see this one; set " +
          "it to a duration, or leave it out",
      );
    }
    const take = () => this.#inTurn(() => this.#takeTurns(list, options));
    if (this.view().lookedAt === 0) await take();
    else {
      await this.#patience.turns.wait(take, options.signal).catch((error) => {
        if (options.signal?.aborted) throw error; // Otherwise another caller has given up.
      });
    }
    return this.view();
  }

  /**
   * Writes the presence if it is due or to be renewed, for the process that runs `watch`; resolves
   * to its bytes as stored if it was written.
   */
  keep(
    { isRenewed = false, signal }: StoreOptions & { readonly isRenewed?: boolean } = {},
  ): Promise<Uint8Array | undefined> {
    return this.#inTurn(async () => {
      const { state, log } = this.#core;
      const presence = state.fleet.presence();
      if (presence) state.fleet.setPresence({ ...presence, keptAt: log.now() });
      const since = presence?.written.at(-1), intervalMs = 0.9 * this.#intervalMs();
      const isDue = isRenewed || !isWithin(intervalMs, { since, now: log.now() }) ||
        this.#name().key !== presence?.key;
      return isDue ? await this.#write({ signal }) : undefined;
    });
  }

  /** Lists the presences. */
  look(options: StoreOptions = {}): Promise<readonly DatedPresence[]> {
    return this.#inTurn(() => this.#look(options));
  }

  /**
   * Has the store tell the time, if the local clock may have been set since the presences were
   * listed by a former process: what was noted then would be taken for old, or for yet to come.
   */
  async learnTime(options: StoreOptions = {}): Promise<void> {
    const { log } = this.#core, { lookedAt } = this.view();
    const age = log.now() - lookedAt;
    this.#knowsTime ||= lookedAt === 0 || (age >= 0 && age < TURNS_INTERVAL_MS);
    if (this.#knowsTime) return;
    await this.#patience.time.wait(async () => {
      await log.fleet.listPresences(options);
      this.#knowsTime = true;
    }, options.signal);
  }

  /** Deletes the own presence. */
  leave(options: StoreOptions = {}): Promise<void> {
    return this.#inTurn(async () => {
      const { state, log } = this.#core;
      const presence = state.fleet.presence();
      if (!presence) return;
      const keys = [presence.key, ...presence.left ?? []].filter((key) => key !== "");
      if (keys.length === 0) return;
      const [failed] = await log.fleet.delete(keys, options);
      if (failed) throw failed.error;
      state.fleet.setPresence(undefined);
    });
  }

  async #takeTurns(list: EncodedList, options: TurnsOptions): Promise<void> {
    const { state, log } = this.#core;
    const { digest } = list, { until, askedEveryMs, signal } = options;
    try {
      const turns = state.fleet.turns();
      const isStored = turns?.digest === digest && log.now() - turns.storedAt < LIST_AGE_MS;
      if (!isStored) await log.fleet.writeList(list, { signal });
      const intervalMs = Math.max(TURNS_INTERVAL_MS, this.isKept ? 0 : askedEveryMs);
      const storedAt = isStored ? turns.storedAt : log.now();
      const isSame = isStored && turns.intervalMs === intervalMs &&
        Math.abs(until - turns.until) < COARSE * askedEveryMs && turns.until > log.now();
      if (!isSame) state.fleet.setTurns({ digest, storedAt, until, intervalMs });
      await this.#keepUp(options);
      this.#problems.resolved("turns");
    } catch (error) {
      if (signal?.aborted || this.view().lookedAt === 0) throw error;
      this.#problems.problem("turns", {
        text:
          "Cannot tell other servers that this one takes turns, going on with those that were " +
          "seen last; feeds may be fetched twice: {message}",
        properties: { message: messageOf(error) },
      });
    }
  }

  /** Writes the presence and lists, unless `watch` does so, or this was done a moment ago. */
  async #keepUp(options: StoreOptions): Promise<void> {
    const { state, log } = this.#core;
    const presence = state.fleet.presence();
    const isShown = presence?.key === this.#name().key;
    const intervalMs = this.isKept ? LIVES * this.#intervalMs() : this.#intervalMs();
    const since = presence?.written.at(-1);
    if (!isShown || !isWithin(intervalMs, { since, now: log.now() })) await this.#write(options);
    const lookMs = Math.max(intervalMs, TURNS_INTERVAL_MS), { lookedAt } = this.view();
    if (!isShown || !isWithin(lookMs, { since: lookedAt, now: log.now() })) {
      await this.#look(options);
    }
  }

  /** Writes the presence; deletes the former one when the name has changed. */
  async #write(options: StoreOptions): Promise<Uint8Array> {
    const { state, log } = this.#core;
    const name = this.#name();
    const report = await this.#options.report(name);
    state.fleet.setPresence(attempted(state.fleet.presence(), name));
    const body = await log.fleet.writePresence(name, report, options);
    this.#stored = { key: name.key, body };
    const presence = state.fleet.presence();
    const left = keysLeft(presence, name.key);
    state.fleet.setPresence({
      key: name.key,
      writer: writerOf(presence, name),
      keptAt: presence?.keptAt ?? 0,
      written: [...writtenBefore(presence, log.now()), log.now()].slice(-MAX_TIMES),
      left,
    });
    if (left.length > 0) await this.#deleteLeft(left, options);
    return body;
  }

  /** Deletes former presences; those that cannot be deleted are tried again with the next write. */
  async #deleteLeft(keys: readonly string[], options: StoreOptions): Promise<void> {
    const { state, log } = this.#core;
    const failed = await log.fleet.delete(keys, options);
    const presence = state.fleet.presence();
    if (!presence) return;
    const left = failed.map(({ key }) => key).filter((key) => key !== presence.key);
    state.fleet.setPresence({ ...presence, left });
  }

  async #look(options: StoreOptions): Promise<readonly DatedPresence[]> {
    const { state, log } = this.#core;
    const listing = await log.fleet.listPresences(options);
    this.#knowsTime = true;
    const servers = seenServers(listing, {
      own: this.own,
      now: log.now(),
      previous: state.fleet.seen()?.servers,
      isReliable: this.#isReliable(),
    });
    state.fleet.setSeen({ lookedAt: log.now(), servers });
    return listing;
  }

  /** Whether the presence was written in each of the last intervals. */
  #isReliable(): boolean {
    const { state, log } = this.#core;
    const now = log.now(), intervalMs = this.#intervalMs(), slackMs = intervalMs / 4;
    const written = state.fleet.presence()?.written ?? [];
    return Array.from({ length: LIVES }, (_, index) => now - index * intervalMs).every((end) =>
      written.some((time) => time > end - intervalMs - slackMs && time <= end + slackMs)
    );
  }

  #intervalMs(): number {
    const intervalMs = this.#configuredMs || Infinity;
    if (!this.takesTurns) return intervalMs;
    const { intervalMs: turnsMs } = this.#core.state.fleet.turns()!;
    return this.isKept ? Math.min(intervalMs, TURNS_INTERVAL_MS) : turnsMs;
  }

  /** The name that the presence has when it is written now. */
  #name(): PresenceName {
    const { state, environment: { random } } = this.#core;
    const presence = state.fleet.presence(), turns = state.fleet.turns();
    return presenceName({
      stream: state.ownStream.load().stream,
      writer: presence?.writer ?? random.token(),
      interval: Math.max(1, Math.round(this.#intervalMs() / 1000)),
      weight: this.#options.weight,
      list: this.takesTurns ? turns?.digest : undefined,
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
