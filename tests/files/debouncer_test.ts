import assert from "node:assert/strict";
import {
  type Changing,
  Debouncer,
  type Mark,
  type Outcome,
} from "../../lib/files/watching/debouncer.ts";

const received: ReadonlySet<string> = new Set();

/** Files that wait, with a clock that moves by hand; `result` is what examining a file gives. */
function setUp(settle = 200) {
  let now = 1_000_000;
  const timers = new Set<{ at: number; callback: () => void }>();
  const clock = {
    now: () => now,
    elapsed: () => now,
    setTimer(ms: number, callback: () => void) {
      const timer = { at: ms, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  const examined: (Mark & { name: string })[] = [];
  const result: { next: Outcome | Changing } = { next: "published" };
  const debouncer = new Debouncer(clock, settle, (name, mark) => {
    examined.push({ name, ...mark });
    return Promise.resolve(result.next);
  });
  /** Moves on, fires the timers that are due and lets all run that follows from them. */
  const pass = async (ms: number) => {
    now += ms;
    for (const timer of timers) {
      timer.at -= ms;
      if (timer.at > 0) continue;
      timers.delete(timer);
      timer.callback();
    }
    await new Promise<void>((resolve) => setTimeout(resolve));
  };
  const names = () => examined.map(({ name }) => name);
  return {
    debouncer,
    examined,
    result,
    names,
    timers,
    pass,
    setBack: (ms: number) => now -= ms,
  };
}

Deno.test("a file is examined once it has been left alone for the settle time", async () => {
  const { debouncer, pass, names } = setUp(200);
  const done = debouncer.mark("a.feed", { received });
  await pass(199);
  assert.deepEqual(names(), []);
  debouncer.mark("a.feed", { received });
  await pass(199);
  assert.deepEqual(names(), []);
  await pass(1);
  assert.equal(await done, "published");
  assert.deepEqual(names(), ["a.feed"]);
});

Deno.test("a file that keeps changing holds up no other file", async () => {
  const { debouncer, pass, names } = setUp(200);
  debouncer.mark("busy.feed", { received });
  const done = debouncer.mark("calm.feed", { received });
  await pass(100);
  debouncer.mark("busy.feed", { received });
  await pass(100);
  await done;
  assert.deepEqual(names(), ["calm.feed"]);
  await debouncer.clear();
});

Deno.test("a file found changing waits another time, with the fingerprint that was found", async () => {
  const { debouncer, pass, examined, result } = setUp(200);
  result.next = { fingerprint: "growing" };
  const done = debouncer.mark("a.feed", { fingerprint: "small", received });
  await pass(200);
  result.next = "published";
  await pass(200);
  assert.equal(await done, "published");
  assert.deepEqual(examined.map(({ fingerprint }) => fingerprint), ["small", "growing"]);
});

Deno.test("who waits for a file that never rests is told so, and the file goes on waiting", async () => {
  const { debouncer, pass, names } = setUp(200);
  const done = debouncer.mark("log.feed", { received });
  for (let i = 0; i < 151; i++) {
    await pass(100);
    debouncer.mark("log.feed", { received });
  }
  assert.equal(await done, "unsettled");
  assert.deepEqual(names(), []);
  await pass(200);
  assert.deepEqual(names(), ["log.feed"]);
  await debouncer.clear();
});

Deno.test("all that was received while a file waited is handed over", async () => {
  const { debouncer, pass, examined } = setUp(200);
  debouncer.mark("a.feed", { received: new Set(["one"]) });
  debouncer.mark("a.feed", { received: new Set(["two"]) });
  await pass(200);
  assert.deepEqual([...examined[0].received], ["one", "two"]);
});

Deno.test("a scan that finds a waiting file again does not hold it up", async () => {
  const { debouncer, pass, examined } = setUp(200);
  debouncer.mark("a.feed", { fingerprint: "1", received });
  debouncer.mark("b.feed", { received });
  await pass(100);
  debouncer.mark("a.feed", { fingerprint: "2", received });
  debouncer.mark("b.feed", { fingerprint: "2", received });
  await pass(100);
  assert.deepEqual(examined.map(({ name, fingerprint }) => [name, fingerprint]), [
    ["a.feed", "1"],
    ["b.feed", undefined],
  ]);
});

Deno.test("a clock that is set back does not hold files up", async () => {
  const { debouncer, pass, setBack, names } = setUp(200);
  debouncer.mark("a.feed", { received });
  setBack(3_600_000);
  await pass(200);
  assert.deepEqual(names(), ["a.feed"]);
});

Deno.test("clear() forgets what waits, leaves no timer and lets the waiting go on", async () => {
  const { debouncer, pass, timers, result } = setUp(200);
  result.next = { fingerprint: "growing" };
  debouncer.mark("a.feed", { received });
  await pass(200);
  const done = debouncer.mark("b.feed", { received });
  await debouncer.clear();
  assert.equal(await done, "unsettled");
  assert.equal(timers.size, 0);
});
