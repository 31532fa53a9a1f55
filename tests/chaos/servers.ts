/**
 * Servers, each a process of its own: those that publish and those that watch.
 *
 * @module
 */
import { readLog } from "../../lib/cli/demo/output_lines.ts";
import type { Config } from "../../lib/config/config.ts";
import type { S3Config } from "../../lib/config/s3.ts";
import type { Update } from "../../lib/update.ts";
import type { Chance } from "../sim/chance.ts";
import type { Ledger } from "./ledger.ts";
import { Program } from "./program.ts";
import type { Orders } from "./publisher.ts";
import type { SmallDisk } from "./small_disk.ts";

/** Who is told what servers do. */
export interface Told {
  readonly ledger: Ledger;
  /** Told every line. */
  readonly note: (who: string, line: string) => void;
}

/** Options of {@linkcode Publisher}. */
export interface PublisherOptions extends Told {
  readonly config: Config;
  /** How often and what it publishes. */
  readonly habits: Pick<Orders, "batch" | "interval" | "sizes">;
  readonly chance: Chance;
  readonly env?: Readonly<Record<string, string>>;
  /** The disk with its state, if that is one that is filled. */
  readonly disk?: SmallDisk;
}

/** A server that publishes numbered updates, with `publisher.ts`. */
export class Publisher {
  /** Its process. */
  readonly program: Program;
  /** The disk with its state, if that is one that is filled. */
  readonly disk: SmallDisk | undefined;
  readonly #ledger: Ledger;
  #next = 1;
  #ready = Promise.withResolvers<void>();
  #settled = Promise.withResolvers<void>();
  #lastWords = "";

  /** A publisher that does not run yet. */
  constructor(name: string, options: PublisherOptions) {
    const { config, habits, chance, env, disk, ledger, note } = options;
    this.disk = disk;
    this.#ledger = ledger;
    ledger.addPublisher(name);
    const launch = () => {
      const seed = chance.whole(1, 2 ** 31);
      const orders: Orders = { name, config, seed, next: this.#next, ...habits };
      return { path: "tests/chaos/publisher.ts", args: [JSON.stringify(orders)], env };
    };
    this.program = new Program(name, launch, {
      onLine: (line) => {
        note(name, line);
        this.#hear(line);
      },
      onErrorLine: (line) => note(name, this.#lastWords = line),
      onUnexpectedEnd: (code) => {
        note(name, `ended with exit code ${code}`);
        this.#ready.resolve();
        if (disk?.isFull) return;
        ledger.violation(`${name} ended by itself (exit code ${code}): ${this.#lastWords}`);
      },
    });
  }

  /** Starts it, and waits until its state is open. */
  async start(): Promise<void> {
    this.#ready = Promise.withResolvers();
    this.program.start();
    await this.#ready.promise;
  }

  /** Waits until everything that it has accepted is in the bucket; it then rests until `go`. */
  async settle(): Promise<void> {
    this.#settled = Promise.withResolvers();
    this.program.start();
    await this.program.tell("settle");
    await this.#settled.promise;
  }

  /** Lets it publish again. */
  async go(): Promise<void> {
    await this.program.tell("go");
  }

  #hear(line: string): void {
    if (line === "ready") this.#ready.resolve();
    else if (line === "settled") this.#settled.resolve();
    else {
      if (line.startsWith("try")) this.#next = Number(line.slice("try ".length)) + 1;
      this.#ledger.told(this.program.name, line);
    }
  }
}

/** What a reader says of a gap whose feeds are restored. */
const GAP = / are lost, .* The newest update of each feed is restored$/;

/** What a reader says of an answer that was shortened: bad, but neither a gap nor a dead letter. */
const SHORTENED = /; it holds up its stream, later polls try again$|^Cannot restore /;

/** Options of {@linkcode Reader}. */
export interface ReaderOptions extends Told {
  readonly store: string;
  readonly s3: S3Config;
  readonly state: string;
  readonly poll: string;
  /** It is new, or away, while the log expires. @default false */
  readonly isLate?: boolean;
  /** Further arguments of `feedsync watch`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that watches: `feedsync watch --json`. */
export class Reader {
  /** Its process. */
  readonly program: Program;

  /** A reader that does not run yet. */
  constructor(name: string, options: ReaderOptions) {
    const { ledger, note, isLate = false } = options;
    if (isLate) ledger.addLateReader(name);
    else ledger.addReader(name);
    this.program = new Program(name, () => watchCommand(name, options), {
      onLine: (line) => {
        const update = JSON.parse(line) as Update;
        note(name, `applied ${update.stream}/${update.seq}`);
        this.#receive(ledger, update);
      },
      onErrorLine: (line) => {
        note(name, line);
        const { level, message } = readLog(line);
        if (level === "ERROR" && !SHORTENED.test(message) && !(isLate && GAP.test(message))) {
          ledger.violation(`${name} said: ${message}`);
        }
      },
      onUnexpectedEnd: (code) => ledger.violation(`${name} ended by itself (exit code ${code})`),
    });
  }

  #receive(ledger: Ledger, { content, server, stream, id, url, time, superseded }: Update): void {
    const { publisher, number } = content as { publisher?: string; number?: number };
    if (publisher === undefined || number === undefined) return; // From a feed file.
    ledger.arrivedAt(this.program.name, {
      ...{ publisher, number, server, stream, id, url, superseded },
      time: Date.parse(time),
    });
  }
}

function watchCommand(name: string, { store, s3, state, poll, args = [], env }: ReaderOptions) {
  return {
    path: "cli.ts",
    args: ["watch", "--json", "--server", name, "--store", store, "--state", state, ...args],
    env: { ...environmentFor(s3), FEEDSYNC_POLL: poll, ...env },
  };
}

/** The environment in which `feedsync` finds the service. */
export function environmentFor(
  { endpoint, region, accessKeyId, secretAccessKey }: S3Config,
): Record<string, string> {
  return {
    FEEDSYNC_S3_ENDPOINT: endpoint!,
    FEEDSYNC_S3_REGION: region!,
    AWS_ACCESS_KEY_ID: accessKeyId!,
    AWS_SECRET_ACCESS_KEY: secretAccessKey!,
  };
}
