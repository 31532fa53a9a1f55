import type { Gap } from "../../lib/update.ts";
import { type Image, Medium } from "./medium.ts";

/** State databases that are copies of each other, directly or not. */
export interface Family {
  /** There was a copy: from then on two states may give one seq two meanings. */
  copied: boolean;
}

/** What a state and its plugins were told. */
export interface Told {
  /** Updates, as `<plugin> <id>`. */
  readonly updates: Set<string>;
  readonly gaps: Gap[];
  /** What a mirror would hold, by `<plugin> <url>`: the last update that was not superseded. */
  readonly mirror: Map<string, string>;
  /** When the polls began, and had ended, that listed the whole tail. */
  readonly polls: { readonly begun: number; readonly ended: number }[];
  /** Where the streams were entered at the very first poll: what is before was not promised. */
  readonly entries: Map<string, number>;
}

/** A copy of a disk. */
export interface Backup {
  readonly image: Image;
  /** The server that the state belongs to. */
  readonly server: string;
  readonly stream: string;
  readonly family: Family;
  readonly accepted: ReadonlySet<string>;
  readonly lost: ReadonlySet<string>;
  readonly told: Told;
}

/** A state database, and what is promised about it. */
export class Disk {
  readonly medium = Medium.take();
  readonly family: Family;
  /** Ids of the updates that were accepted with this state. */
  readonly accepted: Set<string>;
  /** Those of them that a power loss has taken. */
  readonly lost: Set<string>;
  readonly told: Told;
  /** The server that the state belongs to. */
  server: string;
  /** The stream that it publishes to. */
  stream = "";
  /** What a power loss leaves. */
  #durable: Image = [];
  /** Ids of the updates that were accepted since: they are in the order in which they were. */
  readonly unsynced = new Set<string>();
  #syncs = 0;
  #synced = 0;

  /** An empty disk of a server, or a copy. */
  constructor(server: string, backup?: Backup) {
    this.server = backup?.server ?? server;
    this.family = backup?.family ?? { copied: false };
    this.accepted = new Set(backup?.accepted);
    this.lost = new Set(backup?.lost);
    this.told = copyOf(backup?.told);
    if (!backup) return;
    this.stream = backup.stream;
    this.medium.write(backup.image);
    this.#durable = backup.image;
  }

  /** Has all that it holds now survive a power loss from the moment on in which the result is called. */
  sync(): () => void {
    const image = this.medium.read(), ids = [...this.unsynced], order = ++this.#syncs;
    return () => {
      if (order < this.#synced) return;
      [this.#durable, this.#synced] = [image, order];
      for (const id of ids) this.unsynced.delete(id);
    };
  }

  /** Goes back to what a power loss leaves; returns the ids of the updates that are lost. */
  losePower(): string[] {
    this.medium.write(this.#durable);
    const lost = [...this.unsynced];
    for (const id of lost) this.lost.add(id);
    this.unsynced.clear();
    return lost;
  }

  /** Whether it holds an update that was accepted with it. */
  holds(id: string): boolean {
    return this.accepted.has(id) && !this.lost.has(id);
  }

  /** A copy of all that it holds now. */
  backUp(): Backup {
    const { server, stream, family, accepted, lost, told } = this;
    return {
      image: this.medium.read(),
      server,
      stream,
      family,
      accepted: new Set(accepted),
      lost: new Set(lost),
      told: copyOf(told),
    };
  }
}

function copyOf(told?: Told): Told {
  return {
    updates: new Set(told?.updates),
    gaps: [...told?.gaps ?? []],
    mirror: new Map(told?.mirror),
    polls: [...told?.polls ?? []],
    entries: new Map(told?.entries),
  };
}
