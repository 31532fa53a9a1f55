/**
 * Whatever happens in a watched directory: at the end each file's last content was published, and
 * nothing that it did not hold. How fast changes follow each other is a part of what is tested, so
 * there are real pauses between them, short and drawn from the seed.
 *
 * `FEEDSYNC_TEST_ROUNDS` sets how many seeds each test takes. `FEEDSYNC_TEST_SEED` repeats one: the
 * same changes, though what they meet in the server depends on the machine.
 */
import { Chance } from "../../sim/chance.ts";
import type { Feed } from "./feed.ts";
import type { Feeds } from "./feeds.ts";
import type { Pause } from "./operations.ts";
import { Scene, type SceneOptions } from "./scene.ts";

const ROUNDS = Number(Deno.env.get("FEEDSYNC_TEST_ROUNDS") ?? 4);
const SEED = Deno.env.get("FEEDSYNC_TEST_SEED");

/** Rounds mostly wait. */
const SIDE_BY_SIDE = 4;

/** After so many milliseconds the times of a file tell that it is unchanged, unread. */
const REST = 3_200;

const HAS_RAW_NAMES = Deno.build.os === "linux";
if (!HAS_RAW_NAMES) console.warn("Only Linux has file names that are not UTF-8: they are left out");

type Change = (scene: Scene, chance: Chance) => Promise<void>;

const newSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];

const none: Pause = () => Promise.resolve();

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Pauses from none to longer than files take to settle. */
function pauses(chance: Chance): Pause {
  const longest = chance.pick([0, 5, 50, 200]);
  return async () => {
    const ms = chance.pick([0, 0, 0.1, 0.1, 1]) * chance.fraction() * longest;
    if (ms > 0) await sleep(ms);
  };
}

/** Lets `change` do what the seed has it, and checks what was published. */
async function play(seed: number, change: Change, options: Partial<SceneOptions>) {
  const chance = new Chance(seed);
  await using scene = await Scene.prepare(chance, {
    count: 8,
    publishRemovals: false,
    rawNames: HAS_RAW_NAMES ? chance.pick([0, 0.3]) : 0,
    settle: chance.pick([30, 50, 80]),
    rescan: chance.pick([50, 200, 1_000]),
    ...options,
  });
  await change(scene, chance);
  const problems = await scene.findProblems();
  if (problems.length === 0) return;
  const log = scene.feeds.log.slice(-300).join("\n");
  throw new Error(`With FEEDSYNC_TEST_SEED=${seed}: ${problems.join("\n")}\nChanges:\n${log}`);
}

async function playRounds(change: Change, options: { publishRemovals: boolean }) {
  const seeds = (SEED ? [Number(SEED)] : Array.from({ length: ROUNDS }, newSeed)).values();
  const playSome = async () => {
    for (const seed of seeds) await play(seed, change, options);
  };
  const ends = await Promise.allSettled(Array.from({ length: SIDE_BY_SIDE }, playSome));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

for (const publishRemovals of [false, true]) {
  const what = publishRemovals ? "files and removals of files" : "files";

  Deno.test(`${what} are published whatever changes how fast, and nothing else is`, () =>
    playRounds(async (scene, chance) => {
      const pause = pauses(chance);
      const rest = chance.happens(0.2) ? REST : 0;
      await scene.start();
      for (let i = 0; i < 40; i++) {
        await scene.feeds.change(pause);
        if (i === 20) await sleep(rest);
      }
    }, { publishRemovals }));

  Deno.test(`${what} are published, too, that change while the process is down`, () =>
    playRounds(async (scene, chance) => {
      const pause = pauses(chance);
      for (let i = 0; i < 4; i++) {
        for (let j = 0; j < 6; j++) await scene.feeds.change(none);
        await scene.start();
        for (let j = 0; j < 6; j++) await scene.feeds.change(pause);
        await scene.stop();
      }
    }, { publishRemovals }));
}

/** Changes files as fast as it goes. */
async function burst(feeds: Feeds, files: readonly Feed[]) {
  const left = files.values();
  const changeSome = async () => {
    for (const feed of left) await feeds.changeOne(feed, none);
  };
  await Promise.all(Array.from({ length: 32 }, changeSome));
}

Deno.test("a burst of 10,000 files is published, and nothing else is", async () => {
  const seed = Number(SEED ?? newSeed());
  let begin = 0, changed = 0;
  await play(seed, async (scene, chance) => {
    const { feeds } = scene;
    await scene.start();
    begin = performance.now();
    await burst(feeds, feeds.all);
    changed = performance.now();
    if (chance.happens(0.5)) await scene.stop();
    await burst(feeds, feeds.all.filter(() => chance.happens(0.1)));
  }, { count: 10_000, rawNames: HAS_RAW_NAMES ? 0.01 : 0, rescan: 5_000 });
  const [writing, all] = [changed, performance.now()].map((end) => Math.round(end - begin));
  console.info(`10,000 files written in ${writing} ms, published and checked in ${all} ms`);
});
