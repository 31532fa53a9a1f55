import type { UpdateInput } from "../../lib/update.ts";
import type { HappeningName } from "./mix.ts";
import type { Process } from "./process.ts";
import { Server } from "./server.ts";
import { cleanUpOnly, forgeNewest, strangeCommit } from "./strangers.ts";
import type { World } from "./world.ts";

const HOUR = 60 * 60_000;

/** No more servers than this. */
const MOST_SERVERS = 6;

/** So many there are when one joins those that clean up. */
const MOST_JOINED = 7;

/** What comes from outside: work, and blows. What returns a time lasts so many milliseconds. */
export const HAPPENINGS: Record<HappeningName, (world: World) => unknown> = {
  publish: (world) => publisher(world)?.publish([newUpdate(world)]),
  publishMany: (world) => {
    const updates = Array.from({ length: world.chance.whole(2, 8) }, () => newUpdate(world));
    publisher(world)?.publish(updates);
  },
  poll: (world) => running(world, ({ watches }) => watches)?.poll(),
  cleanup: (world) => running(world)?.cleanUp(),
  crash: (world) => running(world)?.die("crashes"),
  powerLoss: (world) => world.chance.pick(world.servers).losePower(),
  stop: (world) => void running(world)?.stop(),
  away: goAway,
  backUp: (world) => {
    const { backups, disk } = world.chance.pick(world.servers);
    if (disk.stream !== "") backups.push(disk.backUp());
  },
  restore: (world) => {
    const server = world.chance.pick(world.servers);
    if (server.backups.length > 0) server.restore(world.chance.pick(server.backups));
  },
  clone,
  rename: (world) => {
    const { chance, servers } = world;
    const server = chance.pick(servers);
    if (server.disk.stream !== "") server.rename(`renamed-${chance.whole(1, 3)}`);
  },
  newServer: (world) => {
    if (world.servers.length < MOST_SERVERS) world.addServer();
  },
  join,
  allAway,
  strangeCommit,
  forgeNewest,
  cleanUpOnly,
  outage: (world) => {
    const { chance, mix: { retention }, timeline, servers } = world;
    const until = timeline.now + chance.pick([5000, 60_000, retention / 4, 1.5 * retention]);
    const affected = chance.happens(0.5) ? servers : [chance.pick(servers)];
    for (const server of affected) server.outageUntil = until;
    world.note("outage", `${affected.map(({ label }) => label)} until ${until}`);
  },
  setClock: ({ chance, servers }) => {
    chance.pick(servers).clockError += chance.pick([-1, 1]) * chance.between(0, 2 * HOUR);
  },
  loseKey: (world) => {
    const { chance, mix: { retention }, timeline, servers } = world;
    const [server, writer] = [chance.pick(servers), chance.pick(servers)];
    if (server.name === writer.name) return; // Of copies of a state each reads what the other writes.
    const until = timeline.now + retention * chance.pick([0.1, 0.6, 1.5, 4, 12]);
    [server.lockedOutBy, server.lockedUntil] = [writer.name, until];
    // A while after what it waits for has expired for others.
    timeline.after(retention * 1.2, () => server.process?.cleanUp());
    world.note(server.label, `lacks the key of ${writer.name} until ${until}`);
  },
  pluginDown: (world) => {
    const { chance, mix: { retention }, timeline, servers } = world;
    const server = chance.pick(servers);
    server.pluginDownAs = chance.pick(["away", "throws"]);
    server.pluginDownUntil = timeline.now + chance.pick([5000, 120_000, retention]);
  },
};

/** An update that was never published before, of one of the first so many feeds. */
export function newUpdate({ chance, mix, ledger }: World, feeds = mix.urls): UpdateInput {
  const url = feedUrl(chance.whole(1, feeds));
  const number = ledger.published++;
  if (chance.happens(0.1)) return { url, removed: true, metadata: { number } };
  if (chance.happens(0.01)) return { url, content: `${number} `.padEnd(300_000, "large ") };
  return { url, content: `${number} `.padEnd(chance.whole(1, mix.contentSize), "feed ") };
}

/** URL of one of the feeds. */
export function feedUrl(number: number): string {
  return `https://example.com/${number}`;
}

/** Stops, or ends at once, and is not seen for longer than the retention. */
function goAway(world: World): void {
  const { chance, mix: { retention } } = world;
  const server = chance.pick(world.servers);
  server.process?.die("goes away");
  server.startAfter(retention * chance.between(0.8, 3));
}

/** A new server, while others are cleaning up, perhaps. */
function join(world: World): void {
  const { chance, servers, timeline } = world;
  if (chance.happens(0.7)) running(world)?.cleanUp();
  if (servers.length >= MOST_JOINED) return;
  timeline.after(chance.between(0, chance.pick([0, 100, 3000])), () => {
    if (!world.settling) world.addServer();
  });
}

/**
 * All servers are away for longer than the retention. One comes back first, and cleans up; the others
 * at some time after that.
 */
function allAway(world: World): number {
  const { chance, mix: { retention }, timeline, servers } = world;
  const away = retention * chance.between(1.05, 2.5);
  const first = chance.pick(servers);
  for (const server of servers) {
    const more = chance.pick([0, 5000, retention * chance.between(0, 2)]);
    beAwayUntil(server, timeline.now + away + (server === first ? 0 : more));
  }
  timeline.after(away + chance.pick([1000, 60_000]), () => first.process?.cleanUp());
  return away;

  async function beAwayUntil(server: Server, back: number) {
    if (chance.happens(0.5)) server.process?.die("goes away");
    else await server.process?.stop();
    if (!world.settling) server.startAfter(back - timeline.now);
  }
}

/** A machine with a copy of another one's disk, as it is or as it was. */
function clone(world: World): void {
  const { chance, servers } = world;
  if (servers.length >= MOST_SERVERS) return;
  const original = chance.pick(servers);
  const { label, disk, backups } = original;
  if (disk.stream === "") return;
  const backup = chance.pick([disk.backUp(), ...backups]);
  backup.family.copied = true;
  world.note(label, "is cloned");
  servers.push(new Server(world, `${label}+${servers.length}`, { original, backup }));
}

function publisher(world: World): Process | undefined {
  return running(world, ({ publishes }) => publishes);
}

/** A running process, if the server that was picked has one. */
function running(
  { chance, servers }: World,
  wanted: (habits: Server["habits"]) => boolean = () => true,
): Process | undefined {
  const able = servers.filter(({ process, habits }) => process && wanted(habits));
  return able.length > 0 ? chance.pick(able).process : undefined;
}
