import assert from "node:assert/strict";
import { FileClock } from "../../lib/files/file_clock.ts";

const HOUR_MS = 3_600_000;

/** A local clock that is so far ahead of the one of the file system. */
function clock(aheadMs: number) {
  let ahead = aheadMs;
  return {
    now: () => Date.now() + ahead,
    elapsed: () => performance.now(),
    setTimer: () => () => {},
    set: (ms: number) => void (ahead = ms),
  };
}

Deno.test("file times are by the clock of the file system, wherever that is", async () => {
  const directory = await Deno.makeTempDir();
  const near = async (fileClock: FileClock, expected: number) =>
    assert.ok(Math.abs(await fileClock.offset() - expected) < 3_000, `${await fileClock.offset()}`);
  try {
    for (const ahead of [-HOUR_MS, 0, HOUR_MS]) {
      await near(new FileClock(directory, clock(ahead), { clockOffset: -ahead }), 0);
      await near(new FileClock(directory, clock(ahead), { clockOffset: 0 }), ahead);
    }
    const local = clock(0);
    const fileClock = new FileClock(directory, local, { clockOffset: 0 });
    await near(fileClock, 0);
    local.set(HOUR_MS);
    await near(fileClock, HOUR_MS);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
    await near(new FileClock("/nowhere", clock(HOUR_MS), { clockOffset: 5 }), 5);
  } finally {
    await Deno.remove(directory);
  }
});
