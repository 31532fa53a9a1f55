/**
 * What carries updates from one server to others: feedsync, and what one could take in its place.
 *
 * @module
 */
import type { UpdateInput } from "@feedsync/feedsync";
import type { StoreAddress } from "../store.ts";

/** An update with what the measurements need. */
export interface Sample extends UpdateInput {
  readonly metadata: {
    /** Its position among all that the publisher publishes, from 1. */
    readonly n: number;
    /** When it was published, by {@linkcode now}. */
    readonly at: number;
    /** The last of a batch: subscribers report what they have got. */
    readonly isLast: boolean;
  };
}

/** What a contender starts on. */
export interface Ground {
  /** An empty directory. */
  readonly directory: string;
  /** An empty bucket; undefined where there is no service that has one. */
  readonly bucket: StoreAddress | undefined;
  /** `speed`: nothing may be found but by the means that are measured. */
  readonly purpose: "speed" | "absence";
}

/** A contender that can be reached. Its server ends when this is disposed of. */
export interface Started<Address> extends AsyncDisposable {
  /** How; goes to the processes as JSON. */
  readonly address: Address;
  /** Where the programs are that Node runs, if Deno is not to run them. */
  readonly nodePrograms?: string;
}

/** One that publishes. */
export interface Publisher {
  /** Publishes an update, and resolves when it is accepted. Calls in a row keep their order. */
  publish(update: Sample): Promise<void>;
  /** One request that carries as much, and nothing else. */
  bare?(): Promise<void>;
}

/** What is compared. Publisher and subscribers run in processes of their own. */
export interface Contender<Address = unknown> {
  /** What the table calls it. */
  readonly name: string;
  /** Where an update is when it is accepted: `broker's disk`. */
  readonly accepted: string;
  /** What servers must be able to reach. */
  readonly reach: string;
  /** Subscribers look for updates each so many milliseconds, and hear of none before. */
  readonly interval?: number;
  /** How what it needs is installed. */
  readonly install: string;
  /** The server, and its version; undefined where it is not installed. */
  version(): Promise<string | undefined>;
  /** Starts its server. */
  start(ground: Ground): Promise<Started<Address>>;
  /** Connects the publisher. */
  publisher(address: Address): Promise<Publisher>;
  /**
   * Connects a subscriber, each with an `index` of its own, to which it is known when it comes again.
   * Resolves when it gets whatever is published from then on.
   */
  subscribe(address: Address, index: number, apply: (update: Sample) => void): Promise<void>;
}
