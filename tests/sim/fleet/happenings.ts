import { type FleetHappeningName, MINUTE } from "./mix.ts";
import { FleetDisk, type FleetServer } from "./server.ts";
import type { FleetWorld } from "./world.ts";

/** No more servers than this. */
const MOST_SERVERS = 6;

/** A list that could not be read is read again within so long, after ten minutes of failures. */
const RETRY_MS = 20 * MINUTE;

/** The same, however long it could not be read. */
const MOST_RETRY_MS = 60 * MINUTE;

/** What comes from outside. */
export const FLEET_HAPPENINGS: Record<FleetHappeningName, (world: FleetWorld) => void> = {
  crash: (world) => {
    const server = running(world);
    if (!server) return;
    server.process?.die("crashes");
    world.crashed(server);
  },
  stop: (world) => {
    const server = running(world);
    if (!server) return;
    server.restartMs = world.chance.pick([1, 5, 30]) * MINUTE;
    stop(world, server);
  },
  leave: (world) => {
    const server = running(world);
    if (!server || world.servers.filter(({ hasLeft }) => !hasLeft).length < 2) return;
    server.hasLeft = true;
    stop(world, server);
  },
  loseState: (world) => {
    const server = running(world);
    if (!server) return;
    server.process?.die("crashes; its state is lost");
    server.loseState();
    world.crashed(server);
  },
  clone: (world) => copy(world, { isClone: true }),
  twin: (world) => copy(world, { isClone: false }),
  join: (world) => {
    if (world.servers.length >= MOST_SERVERS) return;
    world.disturb({ isClean: true });
    world.addServer();
  },
  partition: (world) => {
    const { chance, servers, timeline: { now } } = world;
    const server = chance.pick(servers);
    server.cutUntil = now + chance.pick([2, 5, 20, 60]) * MINUTE;
    world.note(server.label, "cannot reach the store");
    world.disturb({ doubleMs: server.cutUntil - now });
    world.timeline.after(server.cutUntil - now, () => world.disturb());
  },
  outage: (world) => {
    const { chance, servers, timeline: { now } } = world;
    const until = now + chance.pick([2, 10, 25]) * MINUTE;
    world.note("outage", "nobody can reach the store");
    // Everybody keeps to what was agreed before.
    world.disturb({ until, isClean: true });
    for (const server of servers) server.cutUntil = Math.max(server.cutUntil, until);
  },
  storm: (world) => {
    const { chance, servers, timeline: { now } } = world;
    const until = now + chance.between(1, 10) * MINUTE;
    const affected = chance.happens(0.5) ? servers : [chance.pick(servers)];
    for (const server of affected) server.stormUntil = until;
    world.note("storm", affected.map(({ label }) => label).join(" "));
    // A GET may find nothing for minutes longer.
    world.disturb({ until: until + 5 * MINUTE, doubleMs: RETRY_MS, isIdle: true });
  },
  setClock: ({ chance, servers }) => chance.pick(servers).setClock(),
  resubscribe: (world) => {
    const { chance, publishers, servers } = world;
    const server = chance.pick(servers);
    for (const url of publishers.feeds.keys()) {
      if (!chance.happens(0.3)) continue;
      if (server.list.has(url) && chance.happens(0.5)) server.list.delete(url);
      else server.list.add(url);
    }
    world.note(server.label, `subscribes to ${server.list.size}`);
    world.disturb({ isIdle: true });
  },
  silence: (world) => {
    const server = running(world);
    if (!server) return;
    const { chance, timeline: { now } } = world;
    server.silentUntil = now + chance.pick([15, 40]) * MINUTE;
    world.note(server.label, "is not asked");
    world.disturb({ isIdle: true });
    world.timeline.after(server.silentUntil - now, () => world.disturb({ isIdle: true }));
  },
  blind: (world) => {
    const { chance, servers, timeline: { now } } = world;
    const server = chance.pick(servers);
    server.blindUntil = now + chance.pick([5, 15, 60]) * MINUTE;
    world.note(server.label, "cannot read lists");
    world.disturb({ until: server.blindUntil, doubleMs: MOST_RETRY_MS, isHarmless: true });
  },
  loseChecks: (world) => {
    for (const key of world.bucket.keys("checks/")) world.bucket.delete(key);
    world.note("bucket", "loses all checks");
    world.disturb();
  },
  hang: (world) => {
    const server = running(world);
    if (server) server.hangs = true;
  },
  reweigh: (world) => {
    const server = running(world);
    if (!server) return;
    server.habits = { ...server.habits, weight: world.chance.pick([1, 3, 10]) };
    server.restartMs = MINUTE;
    stop(world, server);
  },
};

/** Stops a server gracefully. */
export function stop(world: FleetWorld, server: FleetServer): void {
  world.disturb({ isClean: server.habits.mode !== "cron" });
  server.process?.stop();
}

/** Another machine with the name of one: a copy, or one whose state is its own. */
function copy(world: FleetWorld, { isClone }: { readonly isClone: boolean }): void {
  const original = world.chance.pick(world.servers);
  if (world.servers.length >= MOST_SERVERS || original.process === undefined) return;
  const { name, list } = original;
  const copied = isClone ? { list, disk: new FleetDisk(original.disk) } : {};
  const server = world.addServer({ name, ...copied });
  // A copy that only asks goes on as the same process: nobody can tell the two apart.
  server.habits = { ...server.habits, mode: "watches" };
  world.disturb({ isIdle: true });
}

function running({ chance, servers }: FleetWorld): FleetServer | undefined {
  const present = servers.filter(({ process }) => process && !process.stopping);
  return present.length > 0 ? chance.pick(present) : undefined;
}
