import { Death } from "../process_environment.ts";
import type { FleetCoverage } from "./coverage.ts";
import { FLEET_HAPPENINGS } from "./happenings.ts";
import { MINUTE } from "./mix.ts";
import type { FleetProcess } from "./process.ts";
import { FleetWorld, type FleetWorldOptions } from "./world.ts";

/** What became of a seed. */
export interface FleetOutcome {
  readonly seed: number;
  readonly steps: number;
  /** The promise that was broken, if any. */
  readonly violation: string | undefined;
  readonly coverage: FleetCoverage;
}

/** A graceful stop takes no longer. */
const STOP_MS = 5 * MINUTE;

/** Simulates one seed: things go wrong, then nothing any more, and then all stop. */
export async function runFleetSeed(
  seed: number,
  options: FleetWorldOptions = {},
): Promise<FleetOutcome> {
  const world = new FleetWorld(seed, options);
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    if (event.reason instanceof Death) return;
    world.fail(
      `Nobody handles ${event.reason instanceof Error ? event.reason.stack : event.reason}`,
    );
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  try {
    const { chance, mix } = world;
    sampleEveryMinute(world);
    for (let happened = 0; happened < mix.happenings && !world.violation; happened++) {
      await pass(world, chance.pick(mix.gaps));
      FLEET_HAPPENINGS[chance.weighted(mix.events)](world);
    }
    await settle(world);
    await stopAll(world);
    const { timeline: { steps }, violation, coverage } = world;
    return { seed, steps, violation, coverage };
  } finally {
    world.end();
    globalThis.removeEventListener("unhandledrejection", onRejection);
  }
}

/** Lets time pass. */
async function pass(world: FleetWorld, ms: number): Promise<void> {
  const end = world.timeline.now + ms;
  world.timeline.after(ms, () => {});
  while (!world.violation && world.timeline.now < end) await world.timeline.step();
}

function sampleEveryMinute(world: FleetWorld): void {
  world.timeline.after(MINUTE, () => {
    world.promises.sample();
    sampleEveryMinute(world);
  });
}

/** Nothing goes wrong any more, until everything must have come to rest, and for an interval. */
async function settle(world: FleetWorld): Promise<void> {
  const { servers, timeline, mix } = world, { now } = timeline;
  world.note("world", "the faults stop");
  for (const server of servers) {
    server.hangs = false;
    server.cutUntil = Math.min(server.cutUntil, now);
    server.stormUntil = Math.min(server.stormUntil, now);
    server.blindUntil = Math.min(server.blindUntil, now);
    server.silentUntil = Math.min(server.silentUntil, now);
    server.restartMs &&= 0;
    if (!server.hasLeft && !server.process) server.startAfter(0);
  }
  world.disturb();
  await pass(world, MINUTE); // The intervals are known by then.
  while (!world.violation && timeline.now < world.calmFrom) await pass(world, MINUTE);
  await pass(world, 1.05 * mix.everyMs + 4 * world.slowestAskMs + 5 * MINUTE);
}

/** Everybody leaves, one after the other. */
async function stopAll(world: FleetWorld): Promise<void> {
  const { bucket, chance, servers } = world;
  for (const server of servers) {
    if (world.violation) return;
    server.hasLeft = true;
    const { process } = server;
    world.disturb();
    process?.stop();
    const begun = world.timeline.now;
    while (process?.alive && world.timeline.now < begun + STOP_MS) await pass(world, MINUTE / 4);
    if (process?.alive) process.fail("does not stop");
    if (chance.happens(0.2)) await pass(world, 5 * MINUTE);
  }
  if (world.violation) return;
  for (const key of bucket.keys("present/")) {
    const { server, hasLeft, uncertain } = bucket.writerOf(key) as FleetProcess;
    // Whoever only asks leaves without a word; what has landed late, nobody knows of.
    const knows = server.habits.mode === "watches" && !uncertain.has(`PUT ${key}`);
    if (hasLeft && knows) world.fail(`${key} is left behind`);
  }
}
