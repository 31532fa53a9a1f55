import { Connection } from "../../lib/connection.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { publish } from "../../lib/publish.ts";
import { BucketWatcher } from "../../lib/reading/bucket_watcher.ts";
import type { Watcher } from "../../lib/reading/watcher.ts";
import { status } from "../../lib/status.ts";
import { watch } from "../../lib/watch.ts";
import { Chance } from "../sim/chance.ts";
import { Timeline } from "../sim/timeline.ts";
import { Bucket, BucketView } from "./bucket.ts";

const MINUTE_MS = 60_000;

/** Number of updates that are published, and within which time, once all servers have started. */
const UPDATES = 60, PUBLISHING_MS = 10 * MINUTE_MS;

/** All servers start within this time. */
const START_MS = MINUTE_MS;

/** How long a message between two servers takes. */
const MESSAGE_MS = { least: 1, most: 60 };

/** How updates spread in a fleet. */
export interface Propagation {
  /** Delays from the call of `publish` until another server has applied the update, in milliseconds. */
  readonly delaysMs: readonly number[];
  /** Requests of one look at the status of all servers. */
  readonly status: { readonly lists: number; readonly gets: number };
}

/** How servers hear of updates. */
export interface PropagationOptions {
  /** Number of servers. */
  readonly servers: number;
  /** Delay between polls. */
  readonly poll: string;
  /** Whether publishers send their updates to all others, too. */
  readonly peers: boolean;
  readonly seed: number;
}

interface Server {
  readonly connection: Connection;
  readonly watcher: Watcher;
}

/** Lets servers publish and watch, in virtual time with the real code. */
export async function measurePropagation(options: PropagationOptions): Promise<Propagation> {
  const { servers, poll, peers, seed } = options;
  const timeline = new Timeline(), chance = new Chance(seed), bucket = new Bucket();
  const environment = {
    random: chance,
    clock: {
      now: () => Math.floor(timeline.now),
      elapsed: () => timeline.now,
      setTimer: (ms: number, callback: () => void) => timeline.after(ms, callback),
    },
  };
  const connect = (server: string) => {
    const view = new BucketView({
      ...{ bucket, timeline, chance, clockErrorMs: 0, count: () => {} },
      isAlive: () => true,
      isReachable: () => true,
    });
    const config = resolveConfig({ server, state: ":memory:", poll });
    return { connection: new Connection(config, view, { environment }), view };
  };
  const published = new Map<string, number>(), delaysMs: number[] = [];
  const fleet = Array.from({ length: servers }, (_, index): Server => {
    const { connection } = connect(`web-${index + 1}`);
    const watcher = watch(connection, ({ url }) => {
      delaysMs.push(timeline.now - published.get(url)!);
    });
    return { connection, watcher };
  });
  if (peers) sendToPeers(fleet, timeline, chance);
  for (let index = 0; index < UPDATES; index++) {
    const { connection } = chance.pick(fleet), url = `https://example.com/${index}`;
    timeline.after(START_MS + chance.between(0, PUBLISHING_MS), () => {
      published.set(url, timeline.now);
      publish(connection, { url, content: "news" });
    });
  }
  while (delaysMs.length < UPDATES * (servers - 1) && await timeline.step());
  const observer = connect("observer");
  let isTold = false;
  const telling = status(observer.connection).then(() => isTold = true);
  while (!isTold && await timeline.step());
  await telling;
  const { list: lists, get: gets } = observer.view.requests;
  return { delaysMs, status: { lists, gets } };
}

/** Has each server send its commits to all others: the network is simulated, too. */
function sendToPeers(fleet: readonly Server[], timeline: Timeline, chance: Chance): void {
  for (const { connection: { parts }, watcher: own } of fleet) {
    parts!.uploader.onCommit.push(async ({ name, body }) => {
      const delivered = { name, ...(await parts!.log.open(name, body)).decode() };
      for (const { watcher } of fleet) {
        if (watcher === own || !(watcher instanceof BucketWatcher)) continue;
        const tookMs = chance.between(MESSAGE_MS.least, MESSAGE_MS.most);
        timeline.after(tookMs, () => watcher.hear(name, delivered));
      }
    });
  }
}
