import { resolveConfig, type ResolvedConfig } from "../../../lib/config/resolve.ts";
import { Medium } from "../medium.ts";
import type { Fault } from "../mix.ts";
import { drawFleetHabits, type FleetHabits, MINUTE } from "./mix.ts";
import { FleetProcess } from "./process.ts";
import type { FleetWorld } from "./world.ts";

/** A state, and what its server must know by it. */
export class FleetDisk {
  readonly medium = Medium.take();
  /** Copies share it: nothing is promised to those who run copies of a machine. */
  readonly family: object;
  /** When feeds were checked with it last. */
  readonly checkedAt = new Map<string, number>();
  /** What the application has told last to be the content of a feed. */
  readonly named: Map<string, string>;
  /** Feeds that were handed out, and until when. */
  readonly leases = new Map<string, number>();
  /** What publishers have asked for, by URL, host or domain. */
  readonly holds = new Map<string, { readonly until: number; readonly at: number }>();

  /** An empty one, or a copy. */
  constructor(original?: FleetDisk) {
    this.family = original?.family ?? {};
    this.named = new Map(original?.named);
    if (original) this.medium.write(original.medium.read());
  }
}

/** Nothing goes wrong with requests. */
const NO_FAULTS: Partial<Record<Fault, number>> = {};

/** How a server begins. */
export interface FleetServerOptions {
  /** Its name. @default the label */
  readonly name?: string;
  /** Its state, as that of a machine that was cloned. */
  readonly disk?: FleetDisk;
  /** What it subscribes to. @default drawn */
  readonly list?: Iterable<string>;
}

/** A machine with a state, and an application that subscribes to feeds. */
export class FleetServer {
  readonly label: string;
  readonly name: string;
  readonly list: Set<string>;
  habits: FleetHabits;
  disk: FleetDisk;
  process: FleetProcess | undefined;
  clockError = 0;
  /** Until then it cannot reach the store. */
  cutUntil = 0;
  /** Until then much goes wrong with its requests. */
  stormUntil = 0;
  /** Until then it cannot read the lists and checks of others. */
  blindUntil = 0;
  /** Until then its application does not ask. */
  silentUntil = 0;
  /** It is not to run any more. */
  hasLeft = false;
  /** When something went wrong with it last. */
  troubledAt = 0;
  /** The next fetch never ends. */
  hangs = false;
  /** So long after it has stopped it starts again. */
  restartMs: number | undefined;
  readonly #world: FleetWorld;
  #dead: FleetProcess | undefined;
  #cancelStart: (() => void) | undefined;

  constructor(world: FleetWorld, label: string, options: FleetServerOptions = {}) {
    const { chance, mix, publishers } = world;
    this.#world = world;
    this.label = label;
    this.name = options.name ?? label;
    this.habits = drawFleetHabits(chance, mix);
    this.disk = options.disk ?? new FleetDisk();
    this.list = new Set(
      options.list ?? [...publishers.feeds.keys()].filter(() => chance.happens(mix.subscribed)),
    );
    this.troubledAt = world.timeline.now;
    world.note(label, `named ${this.name}, ${JSON.stringify(this.habits)}`);
    this.startAfter(0);
  }

  /** Its configuration. */
  get config(): ResolvedConfig {
    const { weight } = this.habits, { maxPerDomain } = this.#world.mix;
    const turns = { weight, maxPerDomain };
    return resolveConfig({ server: this.name, poll: "10m", turns, plugins: [] });
  }

  /** What may go wrong with its requests now. */
  get conditions() {
    const { timeline: { now }, mix: { faults, lag, latency } } = this.#world;
    const drawn = now < this.stormUntil ? faults : NO_FAULTS as Record<Fault, number>;
    return { faults: drawn, lag, latency, pageSize: 1000, replicaLag: 0 };
  }

  /** Whether it can reach the store, and nothing is wrong with that. */
  get isClear(): boolean {
    const { now } = this.#world.timeline;
    return now >= this.cutUntil && now >= this.stormUntil;
  }

  /** Whether it is there, and its application asks; between two runs of cron, too. */
  get isAsking(): boolean {
    const isRunning = this.habits.mode === "cron"
      ? !this.hasLeft && this.#cancelStart !== undefined
      : this.process !== undefined && !this.process.stopping;
    return isRunning && this.#world.timeline.now >= this.silentUntil;
  }

  /** Starts a process then. */
  startAfter(ms: number): void {
    this.#cancelStart?.();
    this.#cancelStart = this.#world.timeline.after(ms, () => {
      if (this.process || this.hasLeft) return;
      this.closeState();
      if (this.habits.mode !== "cron") this.#world.disturb({ isClean: true });
      this.process = new FleetProcess(this.#world, this);
    });
  }

  /** Does not start by itself any more. */
  stay(): void {
    this.#cancelStart?.();
    this.#cancelStart = undefined;
  }

  /** The process has ended. */
  noteEnd(process: FleetProcess): void {
    this.process = undefined;
    this.#dead = process;
    const { habits: { mode, askEveryMs }, restartMs } = this;
    this.restartMs = undefined;
    if (restartMs !== undefined) this.startAfter(restartMs);
    else if (mode === "cron") this.startAfter(askEveryMs);
    else this.stay();
  }

  /** Loses its state; the process must have ended. */
  loseState(): void {
    this.closeState();
    this.disk.medium.release();
    this.disk = new FleetDisk();
  }

  /** Closes what is left of the last process; to be called between events only. */
  closeState(): void {
    this.#dead?.state[Symbol.dispose]();
    this.#dead = undefined;
  }

  /** Sets the clock. */
  setClock(): void {
    const { chance } = this.#world;
    this.clockError = chance.pick([-1, 1]) *
      chance.between(0, chance.pick([5, 120, 3 * 1440]) * MINUTE);
  }
}
