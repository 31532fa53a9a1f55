/**
 * A program that publishes numbered updates, and says of each what became of it:
 *
 *     ready | try N | done N | queued N | refused N MESSAGE | failed N MESSAGE | settled
 *
 * `settle` on standard input makes it stop until the next `go`, and say `settled` once everything
 * that was accepted is in the bucket. SIGTERM, or the end of standard input, ends it gracefully.
 *
 * @module
 */
import {
  type Config,
  connect,
  publish,
  StateError,
  StoreUnavailableError,
  type UpdateInput,
} from "../../mod.ts";
import { linesOf } from "../../lib/cli/demo/output_lines.ts";
import { messageOf } from "../../lib/errors.ts";
import { randomText } from "../bench/sample.ts";
import { Chance } from "../sim/chance.ts";
import { pause } from "./waiting.ts";

/** What it is told, as JSON in its argument. */
export interface Orders {
  /** Goes into the updates. */
  readonly name: string;
  readonly config: Config;
  readonly seed: number;
  /** Number of the first update. */
  readonly next: number;
  /** Updates at once: at least and at most. */
  readonly batch: readonly [least: number, most: number];
  /** Milliseconds from batch to batch: at least and at most. */
  readonly interval: readonly [least: number, most: number];
  /** Characters of an update; one of these. */
  readonly sizes: readonly number[];
}

/** Feeds that are published in turns, by all publishers. */
const FEEDS = 20;

/** More are not under way at once. */
const MOST_UNDER_WAY = 64;

const orders: Orders = JSON.parse(Deno.args[0]);
const chance = new Chance(orders.seed);
const stopping = new AbortController();
const underWay = new Set<Promise<boolean>>();
let { next } = orders;
let gate = Promise.withResolvers<void>();
let settling = false;

Deno.addSignalListener("SIGTERM", () => stopping.abort());
stopping.signal.addEventListener("abort", () => gate.resolve());
const sync = await connect(orders.config);
say("ready");
listen().finally(() => stopping.abort());
await publishUntilStopped();
await sync.close();
Deno.exit();

async function publishUntilStopped(): Promise<void> {
  let due = performance.now();
  while (!stopping.signal.aborted) {
    if (settling) {
      await settle();
      due = performance.now();
    }
    for (let left = chance.whole(...orders.batch); left > 0; left--) track(attempt());
    due += chance.between(...orders.interval);
    await pause(due - performance.now());
    if (underWay.size >= MOST_UNDER_WAY) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

/** All that was accepted is in the bucket once an update is that was accepted after it. */
async function settle(): Promise<void> {
  await Promise.all(underWay);
  while (!stopping.signal.aborted && !await attempt()) await pause(100);
  say("settled");
  await gate.promise;
}

async function attempt(): Promise<boolean> {
  const number = next++;
  say(`try ${number}`);
  try {
    await publish(sync, updateOf(number));
    say(`done ${number}`);
    return true;
  } catch (error) {
    say(`${outcomeOf(error)} ${number} ${messageOf(error)}`);
    return false;
  }
}

function updateOf(number: number): UpdateInput {
  const text = randomText(chance.pick(orders.sizes));
  return {
    url: `https://example.com/${number % FEEDS}`,
    content: { publisher: orders.name, number, text },
  };
}

function outcomeOf(error: unknown): string {
  if (error instanceof StoreUnavailableError && error.queued > 0) return "queued";
  return error instanceof StateError ? "refused" : "failed";
}

function track(work: Promise<boolean>): void {
  underWay.add(work);
  work.finally(() => underWay.delete(work));
}

async function listen(): Promise<void> {
  for await (const line of linesOf(Deno.stdin.readable)) {
    settling = line === "settle";
    if (settling) gate = Promise.withResolvers();
    else gate.resolve();
  }
}

/** At once: what is said is read even if this process is killed right after it. */
function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
