/**
 * What is measured of each contender.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { countOf, type Report } from "./arrivals.ts";
import type { Fleet } from "./fleet.ts";

/** Updates one at a time, and before those, which do not count. */
const SINGLES = 600, WARM_UP = 120;

/** The same where each waits for a poll. */
const POLLED = 40;

/** Updates that are published by so many tasks at once, and before those. */
const BURST = 32_000, TASKS = 64, BURST_WARM_UP = 3200;

/** Updates of each third of a run. */
const THIRD = 100;

/** How long updates took. */
export interface Latencies {
  /** Milliseconds from publishing until applied: of each update, at each of the subscribers. */
  readonly applied: readonly number[];
  /** Milliseconds from publishing until accepted. */
  readonly accepted: readonly number[];
  /** Milliseconds of the bare requests, if there are any. */
  readonly bare: readonly number[];
}

/**
 * Publishes one at a time: the next when all subscribers have applied the one before. Bare requests
 * are made in between, so that they meet a process that was idle for as long.
 */
export async function latencies(fleet: Fleet): Promise<Latencies> {
  const found = noLatencies();
  for (let i = -WARM_UP; i < SINGLES; i++) {
    await publishOne(fleet, i < 0 ? noLatencies() : found);
    const times = await fleet.bare(1);
    if (i >= 0) found.bare.push(...times);
  }
  return found;
}

/** The same, at any time between the polls of subscribers, which are so many milliseconds apart. */
export async function polledLatencies(
  fleet: Fleet,
  interval: number,
  signal: AbortSignal,
): Promise<Latencies> {
  const found = noLatencies();
  for (let i = 0; i < POLLED; i++) {
    await delay(Math.random() * interval, undefined, { signal });
    await publishOne(fleet, found);
  }
  return found;
}

/** Updates a second, from many tasks, until every subscriber has applied all of them, in order. */
export async function throughput(fleet: Fleet): Promise<number> {
  await fleet.publish(BURST_WARM_UP, TASKS);
  const { began, reports } = await fleet.publish(BURST, TASKS);
  reports.forEach(checkComplete);
  return BURST / (Math.max(...reports.map(({ applied }) => applied)) - began) * 1000;
}

/** What a subscriber misses that is killed after a third of a run, and comes back for the last. */
export async function absence(fleet: Fleet): Promise<string> {
  const absent = 0;
  const before = await fleet.publish(THIRD);
  await fleet.stopSubscriber(absent);
  await fleet.publish(THIRD);
  await fleet.startSubscriber(absent);
  const after = await fleet.publish(THIRD);
  const got = countOf([before, after].flatMap(({ reports }) => reports[absent].ranges));
  return got === 3 * THIRD ? "all" : `${3 * THIRD - got} of ${3 * THIRD} lost`;
}

function noLatencies() {
  return { applied: [] as number[], accepted: [] as number[], bare: [] as number[] };
}

async function publishOne(
  fleet: Fleet,
  { applied: times, accepted }: ReturnType<typeof noLatencies>,
): Promise<void> {
  const { began, ended, reports } = await fleet.publish(1);
  times.push(...reports.map(({ published, applied }) => applied - published));
  accepted.push(ended - began);
}

function checkComplete({ ranges }: Report, index: number): void {
  if (ranges.length === 1 && countOf(ranges) === BURST) return;
  const got = ranges.slice(0, 5).map(([first, last]) => `${first} to ${last}`).join(", ");
  throw new Error(`Subscriber ${index} did not get all of ${BURST} in order, but ${got}`);
}
