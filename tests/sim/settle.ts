import { systemEnvironment } from "../../lib/base/environment.ts";
import { ReadBackReader } from "../../lib/publishing/forks/read_back.ts";
import { mayConflict } from "../../lib/publishing/forks/republish.ts";
import { newUpdate } from "./happenings.ts";
import type { Fault } from "./mix.ts";
import type { Process } from "./process.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/**
 * After the faults have stopped everything arrives within so many milliseconds: a process that does
 * not poll looks for copies of its state every hour.
 */
const PATIENCE = 2 * 60 * 60_000;

/** So many updates each server publishes then: enough to seal, and so to notice copies. */
const LAST_UPDATES = 10;

/** Of so few feeds: what is the newest of others must have survived. */
const LAST_FEEDS = 1;

/**
 * When all poll then for the first time, in milliseconds; after that less and less often. A server that has not
 * polled for ten minutes was away, and is not calm before it has looked for what it missed.
 */
const POLL = 1000, RAREST_POLL = 5 * 60_000;

/** So long a server may still lack a key then: longer than the shortest retention. */
const LONGEST_LOCK = 15 * 60_000;

/** The tail holds no more commits of a stream than this, once everything is calm. */
const TAIL_LIMIT = 9;

/** Ends all faults, and waits until everything has arrived everywhere. */
export async function settle(world: World): Promise<void> {
  const { mix, servers, timeline } = world;
  world.note("world", "the faults stop");
  world.settling = true;
  for (const key of world.bucket.forged.keys()) world.bucket.delete(key); // Somebody has looked.
  // Of a fleet that has existed for some time a new server has everything, too.
  if (world.coverage.carried > 0) world.addServer({ watches: true, from: "earliest" });
  [mix.latency, mix.pageSize] = [5, 1000];
  for (const fault of Object.keys(mix.faults) as Fault[]) mix.faults[fault] = 0;
  for (const server of servers) {
    server.outageUntil = server.pluginDownUntil = 0;
    server.lockedUntil = Math.min(server.lockedUntil, timeline.now + LONGEST_LOCK);
    if (!server.process) server.startAfter(0);
    if (server.habits.publishes) publishLast(world, server);
    for (const consumer of server.consumers) consumer.hurry();
    if (server.habits.watches) pollAgainAndAgain(world, server);
  }
  const deadline = timeline.now + PATIENCE;
  while (!world.violation && !isCalm(world)) {
    if (timeline.now > deadline) return world.fail("Not everything arrives: " + whatLacks(world));
    for (let i = 0; i < 20 && !world.violation; i++) await timeline.step();
  }
}

async function publishLast(world: World, server: Server): Promise<void> {
  for (server.lastUpdates = LAST_UPDATES; server.lastUpdates > 0;) {
    const { process } = server;
    if (process && !process.stopping) {
      if (await process.publish([newUpdate(world, LAST_FEEDS)])) server.lastUpdates--;
    } else await new Promise<void>((resolve) => world.timeline.after(100, resolve));
  }
}

function pollAgainAndAgain(world: World, server: Server, interval = POLL): void {
  world.timeline.after(interval, () => {
    if (world.servers.every(({ lastUpdates }) => lastUpdates === 0)) server.process?.poll();
    pollAgainAndAgain(world, server, Math.min(1.5 * interval, RAREST_POLL));
  });
}

/** Whether everything is uploaded and read. */
function isCalm(world: World): boolean {
  return whatLacks(world) === "";
}

function whatLacks(world: World): string {
  const { servers, bucket } = world;
  for (const server of servers) {
    const { lastUpdates, label, process, habits, disk } = server;
    if (!process || (habits.publishes && lastUpdates > 0)) return `${label} is not done publishing`;
    if (process.state.queued() > 0 && habits.publishes) return `${label} has updates queued`;
    if (hasConflict(world, process)) return `${label} has not looked at what may conflict`;
    if (hasUnnoticedCopy(process)) return `${label} has not noticed the copy of its state`;
    if (habits.publishes && tailLength(process) > TAIL_LIMIT) {
      return `the tail of ${disk.stream} has ${tailLength(process)} commits`;
    }
    if (!habits.watches) continue;
    const waiting = server.consumers.find((consumer) => !consumer.hasAll(process));
    if (waiting) return `${waiting.name} has not been handed all that waits for it`;
    const unread = process.state.cursors.unread().filter((stream) => stream !== disk.stream);
    if (process.state.deadLetters.waiting().length > 0) {
      return `${label} has not tried again what its plugins could not apply`;
    }
    if (process.state.restoring.isDue()) return `${label} has not restored what it lacks`;
    if (unread.length > 0) return `${label} has not read all that it saw of ${unread}`;
    for (const { name: { stream, last, kind } } of bucket.objects.values()) {
      if (kind !== "tail" || (stream === disk.stream && !habits.includeOwn)) continue;
      const cursor = process.state.cursors.get(stream);
      if (cursor < last) return `${label} has read ${stream} to ${cursor}, it reaches ${last}`;
    }
  }
  return "";
}

/**
 * How many commits of its own a server has in the tail beyond what is sealed, twins of the newest
 * one counted once. Others have landed late, and are deleted at the next seal.
 */
function tailLength({ world: { bucket }, disk, state }: Process): number {
  const { stream, sealedSeq } = state.ownStream.load();
  const commits = [...bucket.objects.values()].filter(({ name, writer }) =>
    name.kind === "tail" && name.stream === stream && name.last > sealedSeq && writer === disk
  );
  const newest = Math.max(...commits.map(({ name }) => name.last));
  return commits.filter(({ name }) => name.last < newest).length + 1;
}

/** Whether another state has written to a stream that this one has given up. */
function hasConflict({ bucket, timeline }: World, { state }: Process): boolean {
  const tail = [...bucket.objects.values()].map(({ name }) => name).filter(({ kind }) =>
    kind === "tail"
  );
  const log = { keysRevision: 0, read: () => Promise.resolve(undefined) };
  const context = { state, objects: new ReadBackReader(log, systemEnvironment) };
  return state.former.all(timeline.now).some((former) => mayConflict(context, former, tail));
}

/** Whether another state writes to the stream of this one, which has not looked at what it wrote. */
function hasUnnoticedCopy(
  { world: { bucket }, disk: { stream, accepted }, state }: Process,
): boolean {
  return [...bucket.objects.values()].some(({ name, places }) =>
    name.kind === "tail" && name.stream === stream && !state.former.hasSeen(name) &&
    places.some(({ update }) => !accepted.has(update.id))
  );
}
