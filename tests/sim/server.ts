import { resolveConfig, type ResolvedConfig } from "../../lib/config/resolve.ts";
import { serverOf } from "../../lib/log/names.ts";
import { type Backup, Disk } from "./disk.ts";
import { Consumer } from "./consumer.ts";
import { type ConsumerHabits, drawHabits, type Habits } from "./mix.ts";
import { Process } from "./process.ts";
import type { World } from "./world.ts";

/** A machine: a disk with the state, and most of the time a process. */
export class Server {
  /** What tells it from others that bear the same name. */
  readonly label: string;
  readonly name: string;
  readonly habits: Habits;
  readonly config: ResolvedConfig;
  readonly backups: Backup[] = [];
  /** Programs that are handed updates. */
  readonly consumers: readonly Consumer[];
  /** Grows when its state is no longer what it was: it was restored, or lost power. */
  lineage = 0;
  /** What GETs from here do not find until then. */
  readonly hiddenUntil = new Map<string, number>();
  disk: Disk;
  process: Process | undefined;
  /** How far its clock is ahead, in milliseconds. */
  clockError: number;
  /** So many updates it still has to publish in the end. */
  lastUpdates = 0;
  /** Until then the store cannot be reached. */
  outageUntil = 0;
  /** Until then it lacks the key with which the server of that name encrypts. */
  lockedUntil = 0;
  lockedOutBy = "";
  /** Until then all that the plugins do fails. */
  pluginDownUntil = 0;
  /** How its plugins fail meanwhile. */
  pluginDownAs: "away" | "throws" = "throws";
  readonly world: World;
  /** What is left of the last process: it may still be unwinding. */
  #dead: Process | undefined;
  #cancelStart: (() => void) | undefined;

  /** A new machine, or with a `backup` one like `original` was. */
  constructor(world: World, label: string, { original, backup, habits }: {
    original?: Server;
    backup?: Backup;
    habits?: Partial<Habits>;
  } = {}) {
    const { chance, mix } = world;
    this.world = world;
    this.label = label;
    this.name = original?.name ?? label;
    this.habits = { ...drawHabits(chance, mix), ...likeThose(original), ...habits };
    this.clockError = this.habits.clockError;
    const { poll = mix.poll, from, includeOwn, commitInterval, marker } = this.habits;
    const { retention } = mix;
    this.config = resolveConfig({
      server: this.name,
      poll,
      from,
      includeOwn,
      commitInterval,
      wake: { marker },
      retention,
      presence: false, // The world of fleets has presences.
      plugins: [],
    });
    this.disk = new Disk(backup);
    world.note(label, JSON.stringify(this.habits));
    this.consumers = this.habits.watches ? this.habits.consumers.map(newConsumer, this) : [];
    this.startAfter(0);
  }

  /** Whether it has the key of a stream now. */
  canRead(stream: string): boolean {
    return this.world.timeline.now >= this.lockedUntil || serverOf(stream) !== this.lockedOutBy;
  }

  /** Starts a process then, or sooner when it is told again. */
  startAfter(ms: number): void {
    this.#cancelStart?.();
    this.#cancelStart = this.world.timeline.after(ms, () => {
      if (this.process) return;
      this.closeState();
      this.process = new Process(this.world, this);
      this.process.note(`starts, publishes to ${this.disk.stream}`);
      this.disk.sync()();
    });
  }

  /** The process has ended. */
  noteEnd(process: Process): void {
    const { chance, settling, mix: { retention } } = this.world;
    this.process = undefined;
    this.#dead = process;
    this.startAfter(settling ? 0 : chance.pick([0, 0, 100, 2000, 2000, 60_000, retention / 3]));
  }

  /** Ends the process, and loses what was not synced. */
  losePower(): void {
    this.process?.die("loses power");
    this.closeState();
    const lost = this.disk.losePower();
    this.lineage++;
    if (lost.length === 0) return;
    // They may be in the bucket, or get there: as if this state were an older copy of itself.
    this.disk.family.copied = true;
    this.world.ledger.lose(lost, this.#others(), this.world.bucket);
  }

  /** Replaces the disk by a copy. */
  restore(backup: Backup): void {
    const { ledger, bucket } = this.world;
    this.process?.die("dies; its state is restored from a backup");
    this.closeState();
    ledger.lose(this.disk.accepted, this.#others(), bucket);
    this.disk.medium.release();
    this.lineage++;
    backup.family.copied = true;
    this.disk = new Disk(backup);
  }

  #others(): Disk[] {
    return this.world.servers.filter((server) => server !== this).map(({ disk }) => disk);
  }

  /** Closes what is left of the last process; to be called between events only. */
  closeState(): void {
    this.#dead?.state[Symbol.dispose]();
    this.#dead = undefined;
  }
}

/** A program on the server; a copy of the machine has others. */
function newConsumer(this: Server, habits: ConsumerHabits, index: number): Consumer {
  const name = `${this.label}-consumer${index + 1}`.replaceAll("+", "_");
  return new Consumer(this, this.world, { name, habits });
}

/** What a copy of a machine is configured with, too. */
function likeThose(original: Server | undefined): Partial<Habits> {
  if (!original) return {};
  const { plugins, concurrency, from, includeOwn } = original.habits;
  return { plugins, concurrency, from, includeOwn };
}
