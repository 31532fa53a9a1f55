/** What becomes of updates while the backend of a plugin is away. */
import assert from "node:assert/strict";
import { RejectedUpdateError } from "../../lib/errors.ts";
import { publish } from "../../lib/publish.ts";
import type { Connection } from "../../lib/connection.ts";
import type { Update } from "../../lib/update.ts";
import { watch, watchWith } from "../../lib/watch.ts";
import { BackendUnavailableError } from "../../mod.ts";
import { captureLog } from "../encryption/keys.ts";
import { Fleet, survivingState, texts, urlOf } from "../fixture.ts";

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

/** A backend that is away for a while, or refuses, and what was written to it. */
class Backend {
  readonly #fleet: Fleet;
  readonly applied: Update[] = [];
  /** Times of all calls since the beginning. */
  readonly calls: number[] = [];
  readonly begun: number;
  awayUntil = 0;
  failure: () => unknown = () => new BackendUnavailableError("The backend is away");

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.begun = fleet.time.clock.now();
  }

  get contents(): unknown[] {
    return this.applied.map(({ content }) => content);
  }

  write = (update: Update): void => {
    const now = this.#fleet.time.clock.now() - this.begun;
    this.calls.push(now);
    if (now < this.awayUntil) throw this.failure();
    this.applied.push(update);
  };
}

function setUp(fleet: Fleet) {
  const state = survivingState("web-2", fleet);
  return {
    state,
    backend: new Backend(fleet),
    web1: fleet.server("web-1"),
    web2: fleet.server("web-2", { state }),
  };
}

Deno.test("while its backend is away a plugin waits from the first update on, and loses none", async () => {
  await using fleet = new Fleet();
  const { state, backend, web1, web2 } = setUp(fleet);
  await fleet.publish(web1, ...texts("a", 10));
  backend.awayUntil = HOUR;
  using log = captureLog();
  await using watcher = watch(web2, backend.write, { manual: true, outagePatience: false });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(backend.contents, texts("a", 10));
  assert.deepEqual(state.deadLetters.all(), []);
  const pauses = backend.calls.slice(1).map((time, index) => time - backend.calls[index]);
  assert.ok(pauses.every((ms) => ms <= MINUTE), "it is tried at least every minute");
  assert.ok(backend.calls.length < 150, "it is not tried without end");
  const told = log.lines.filter((line) => line.includes("callback"));
  assert.equal(told.length, 2, told.join("\n"));
  assert.match(
    told[0],
    /^warning.*callback cannot reach its backend, reading waits until it can: The backend is away/,
  );
  assert.match(told[1], /^info.*callback works again/);
});

Deno.test("a plugin is left alone for as long as its backend asks, up to an hour", async () => {
  for (
    const [retryAfterMs, pauseMs] of [[5 * MINUTE, 5 * MINUTE], [1, SECOND], [HOUR * 24, HOUR]]
  ) {
    await using fleet = new Fleet();
    const { backend, web1, web2 } = setUp(fleet);
    await fleet.publish(web1, "a");
    backend.awayUntil = 1;
    backend.failure = () => new BackendUnavailableError("Too many requests", { retryAfterMs });
    await using watcher = watch(web2, backend.write, { manual: true, outagePatience: false });
    await fleet.time.run(watcher.poll());
    const [first, second, ...others] = backend.calls;
    assert.deepEqual([second - first, others], [pauseMs, []]);
  }
});

Deno.test("of many streams only one at a time tries whether the backend is back", async () => {
  await using fleet = new Fleet();
  const { backend, web2 } = setUp(fleet);
  for (let i = 0; i < 30; i++) {
    const part = { kind: "tail", stream: `s${i}_abcdefgh`, first: 1, last: 1 } as const;
    await fleet.forge(part, () => `s${i}`);
  }
  backend.awayUntil = HOUR;
  await using watcher = watch(web2, backend.write, { manual: true, outagePatience: false });
  await fleet.time.run(watcher.poll());
  assert.equal(backend.applied.length, 30);
  assert.ok(backend.calls.length < 30 + 150 + 30, String(backend.calls.length));
});

Deno.test("an update that fails while others are applied, again and again, holds up its stream no longer", async () => {
  await using fleet = new Fleet();
  const { backend, web2, state } = setUp(fleet);
  for (const stream of ["s_abcdefgh", "t_abcdefgh"]) {
    const part = { kind: "tail", stream, first: 1, last: 60 } as const;
    await fleet.forge(
      part,
      (seq) => stream === "s_abcdefgh" && seq === 1 ? "poison" : `${stream}${seq}`,
    );
  }
  await using watcher = watch(web2, async (update) => {
    await new Promise<void>((resolve) => fleet.time.clock.setTimer(10 * SECOND, resolve));
    if (update.content === "poison") throw new BackendUnavailableError("It closed the connection");
    backend.write(update);
  }, { manual: true });
  const { applied, failed } = await fleet.time.run(watcher.poll());
  assert.deepEqual([applied, failed], [119, 1]);
  const [{ url, retryAt }] = state.deadLetters.all();
  assert.equal(url, urlOf("poison"));
  assert.notEqual(retryAt, null, "it is retried automatically");
});

Deno.test("reading gives up an outage when it is told to, and applies what it lacks the next time", async () => {
  await using fleet = new Fleet();
  const { backend, web1, web2 } = setUp(fleet);
  await fleet.publish(web1, "a", "b");
  backend.awayUntil = Infinity;
  const plugin = {
    name: "sink",
    onUpdate: backend.write,
    onGap: () => {},
    close: () => Promise.resolve(),
  };
  const options = { manual: true, outagePatience: 30 * SECOND };
  await using watcher = watchWith(web2, [plugin], options);
  await assert.rejects(
    fleet.time.run(watcher.poll()),
    /^BackendUnavailableError: The plugin sink cannot reach its backend; the updates it has not applied will be delivered again at the next poll: The backend is away$/,
  );
  assert.ok(backend.calls.at(-1)! <= 30 * SECOND);
  backend.awayUntil = 0;
  await fleet.time.run(watcher.poll());
  assert.deepEqual(backend.contents, ["a", "b"]);
});

Deno.test("a poll of a manual watcher waits for a plugin no longer than for a call, unless told to", async () => {
  await using fleet = new Fleet();
  const { backend, web1, web2 } = setUp(fleet);
  await fleet.publish(web1, ...texts("a", 5));
  backend.awayUntil = Infinity;
  backend.failure = () => new Error("500 Internal Server Error");
  await using watcher = watch(web2, backend.write, { manual: true });
  await assert.rejects(
    fleet.time.run(watcher.poll()),
    /^FeedSyncError: The plugin callback fails for every update; the updates it has not applied will be delivered again at the next poll: 500 Internal/,
  );
  assert.ok(fleet.time.clock.now() - backend.begun < MINUTE);
});

/** Publishes bad updates of `feeds` feeds and a good one after them, and watches for `hours`. */
async function poisoned(failure: () => unknown, feeds: number, hours: number) {
  await using fleet = new Fleet();
  const { backend, web1, web2, state } = setUp(fleet);
  const inputs = texts("bad", 10).map((content, index) => ({
    url: urlOf(`bad${index % feeds}`),
    content,
  }));
  await publish(web1, [...inputs, { url: urlOf("good"), content: "good" }]);
  await using watcher = watch(web2, (update) => {
    if (String(update.content).startsWith("bad")) throw failure();
    backend.write(update);
  });
  await fleet.time.pass(hours * HOUR);
  await fleet.time.run(watcher.close());
  return { contents: backend.contents, letters: state.deadLetters.all() };
}

Deno.test("updates that always fail hold up those after them for a while, not for ever", async () => {
  const { contents, letters } = await poisoned(() => new Error("Cannot parse it"), 10, 1);
  assert.deepEqual(contents, ["good"]);
  assert.deepEqual(letters.map(({ retryAt }) => retryAt), letters.map(() => null));
  assert.equal(letters.length, 10);
});

Deno.test("a feed that always fails makes room for the others sooner", async () => {
  const { contents, letters } = await poisoned(() => new Error("Cannot parse it"), 1, 0.3);
  assert.deepEqual([contents, letters.length], [["good"], 10]);
});

Deno.test("an update that is always answered 504 is set aside after an hour", async () => {
  const failure = () => Object.assign(new Error("Gateway Timeout"), { status: 504 });
  const early = await poisoned(failure, 1, 0.9);
  assert.deepEqual(early, { contents: [], letters: [] });
  const late = await poisoned(failure, 1, 1.5);
  assert.deepEqual([late.contents, late.letters.length], [["good"], 10]);
});

Deno.test("an update that is always answered 504 holds up single polls no longer than an hour", async () => {
  await using fleet = new Fleet();
  const { backend, web1, state } = setUp(fleet);
  await fleet.publish(web1, "bad", "good");
  const answers: unknown[] = [];
  for (let polls = 0; polls < 8; polls++) {
    // As `watch --once` does, run by cron.
    const web2 = fleet.server("web-2", { state });
    const watcher = watch(web2, (update) => {
      if (update.content !== "bad") return backend.write(update);
      throw Object.assign(new Error("Gateway Timeout"), { status: 504 });
    }, { manual: true });
    answers.push(
      await fleet.time.run(
        watcher.poll().then(({ applied }) => applied, (error: Error) => error.name),
      ),
    );
    await fleet.time.run(web2.close());
    await fleet.time.pass(10 * MINUTE);
  }
  const refusals = Array.from({ length: 6 }, () => "BackendUnavailableError");
  assert.deepEqual(answers, [...refusals, 1, 0]);
  assert.deepEqual([backend.contents, state.deadLetters.count()], [["good"], 1]);
});

Deno.test("an outage of hours costs a dead letter each five minutes, and all are applied in the end", async () => {
  await using fleet = new Fleet();
  const { backend, web1, web2, state } = setUp(fleet);
  await fleet.publish(web1, ...texts("a", 60));
  backend.awayUntil = 2 * HOUR;
  backend.failure = () => new Error("500 Internal Server Error");
  await using watcher = watch(web2, backend.write);
  await fleet.time.pass(1.9 * HOUR);
  const count = state.deadLetters.count();
  assert.ok(count > 10 && count <= 4 + 1.9 * 12, `${count} dead letters`);
  await fleet.time.pass(HOUR);
  assert.deepEqual(state.deadLetters.all(), []);
  assert.deepEqual(backend.contents.toSorted(), texts("a", 60).toSorted());
  await fleet.time.run(watcher.close());
});

Deno.test("waiting for a backend ends when the watcher stops, and what waited comes again", async () => {
  await using fleet = new Fleet();
  const { backend, web1, web2, state } = setUp(fleet);
  await fleet.publish(web1, "a", "b");
  backend.awayUntil = Infinity;
  const first = watch(web2, backend.write, { manual: true });
  const polling = first.poll().catch(() => {});
  await fleet.time.pass(10 * MINUTE);
  await fleet.time.run(first.close());
  await polling;
  backend.awayUntil = 0;
  await using second = watch(web2, backend.write, { manual: true });
  await fleet.time.run(second.poll());
  assert.deepEqual(backend.contents, ["a", "b"]);
  assert.deepEqual(state.deadLetters.all(), []);
});

Deno.test("a gap that is told while the backend is away is told again", async () => {
  await using fleet = new Fleet();
  const { backend, web2 } = setUp(fleet);
  const gaps: unknown[] = [];
  let failures = 0;
  await fleet.forge({ kind: "tail", stream: "s_abcdefgh", first: 1, last: 1 }, () => "s1");
  await using watcher = watch(web2, backend.write, {
    manual: true,
    onGap(gap) {
      if (++failures < 4) throw new BackendUnavailableError("The backend is away");
      gaps.push(gap);
    },
  });
  await fleet.time.run(watcher.poll());
  await fleet.forge({ kind: "tail", stream: "s_abcdefgh", first: 4, last: 4 }, () => "s4");
  await fleet.time.run(watcher.poll());
  assert.deepEqual(gaps, [{ stream: "s_abcdefgh", first: 2, last: 3 }]);
  assert.deepEqual(backend.contents, ["s1", "s4"]);
});

/** Publishes an update every three seconds, which a plugin gets that fails for nine. */
async function shortOutage(failure: () => unknown) {
  await using fleet = new Fleet();
  const { backend, web1, web2, state } = setUp(fleet);
  backend.failure = failure;
  await using watcher = watch(web2, backend.write, { manual: true });
  const polls: Promise<unknown>[] = [];
  for (const content of texts("a", 6)) {
    backend.awayUntil = content === "a1" ? 0 : 12 * SECOND;
    await fleet.publish(web1, content);
    polls.push(watcher.poll());
    await fleet.time.pass(3 * SECOND);
  }
  await fleet.time.run(Promise.all(polls));
  await fleet.time.run(watcher.poll());
  return { contents: backend.contents, letters: state.deadLetters.all() };
}

Deno.test("an outage of nine seconds leaves no dead letters, however the plugin fails", async () => {
  const away = await shortOutage(() => new BackendUnavailableError("away"));
  assert.deepEqual(away, { contents: texts("a", 6), letters: [] });
  const unexplained = await shortOutage(() => new Error("500 Internal Server Error"));
  assert.deepEqual(unexplained.letters, []);
  assert.deepEqual(unexplained.contents.toSorted(), texts("a", 6));
});

Deno.test("a dead letter for want of a backend is retried automatically, also when nothing else comes", async () => {
  await using fleet = new Fleet();
  const { backend, web1, web2, state } = setUp(fleet);
  await fleet.publish(web1, "a");
  backend.awayUntil = 2 * HOUR;
  backend.failure = () => new Error("500 Internal Server Error");
  await using watcher = watch(web2, backend.write);
  await fleet.time.run(watcher.poll());
  assert.equal(state.deadLetters.count(), 1);
  await fleet.time.pass(2 * HOUR);
  assert.equal(state.deadLetters.count(), 1);
  assert.ok(backend.calls.length < 15, "less and less often");
  await fleet.time.pass(HOUR + MINUTE);
  assert.deepEqual([backend.contents, state.deadLetters.all()], [["a"], []]);
  await fleet.time.run(watcher.close());
});

Deno.test("what 0.1 left as a dead letter is tried again once the plugin works", async () => {
  await using fleet = new Fleet();
  const { backend, web1, web2, state } = setUp(fleet);
  await fleet.publish(web1, "old", "bad");
  await leaveLetters(fleet, web2);
  const [old, bad] = state.deadLetters.all();
  for (const { id } of [old, bad]) state.deadLetters.postpone(id, "of 0.1", 0);
  await fleet.publish(web1, "new");
  await using watcher = watch(web2, (update) => {
    if (update.content === "bad") throw new RejectedUpdateError("Not this one");
    backend.write(update);
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(backend.contents, ["new", "old"]);
  const letters = state.deadLetters.all().map(({ error, retryAt }) => [error, retryAt]);
  assert.deepEqual(letters, [["Not this one", null]]);
  await fleet.time.run(watcher.poll());
  assert.equal(backend.calls.length, 2);
});

/** Makes dead letters of all that there is. */
async function leaveLetters(fleet: Fleet, connection: Connection): Promise<void> {
  await using watcher = watch(connection, () => {
    throw new RejectedUpdateError("no");
  }, { manual: true });
  await fleet.time.run(watcher.poll());
}

Deno.test("a dead letter that is tried again never passes for newer than what came after it", async () => {
  await using fleet = new Fleet();
  const { backend, web1, web2, state } = setUp(fleet);
  const url = urlOf("same");
  await publish(web1, { url, content: "old" });
  await leaveLetters(fleet, web2);
  state.deadLetters.postpone(1, "The backend was away", 0);
  fleet.time.skip(SECOND);
  await publish(web1, { url, content: "new" });
  await using watcher = watch(web2, backend.write, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(
    backend.applied.map(({ content, superseded }) => [content, superseded]),
    [["new", false], ["old", true]],
  );
});

Deno.test("a dead letter is not tried again while its URL is busy", async () => {
  await using fleet = new Fleet();
  const { web1, web2, state } = setUp(fleet);
  const url = urlOf("same");
  await publish(web1, { url, content: "old" });
  await leaveLetters(fleet, web2);
  state.deadLetters.postpone(1, "The backend was away", 0);
  fleet.time.skip(SECOND);
  await publish(web1, { url, content: "new" });
  const running: unknown[] = [], applied: unknown[] = [];
  await using watcher = watch(web2, async ({ content }) => {
    assert.equal(running.push(content), 1, "two calls for one URL");
    await new Promise<void>((resolve) => fleet.time.clock.setTimer(10 * SECOND, resolve));
    applied.push(running.pop());
  });
  await fleet.time.run(watcher.poll());
  await fleet.time.pass(2 * MINUTE);
  assert.deepEqual(applied.toSorted(), ["new", "old"]);
  await fleet.time.run(watcher.close());
});

Deno.test("errors of another copy of feedsync count as those of this one", async () => {
  await using fleet = new Fleet();
  const { state, backend, web1, web2 } = setUp(fleet);
  const { href } = new URL("../../lib/errors.ts?another", import.meta.url);
  const other: typeof import("../../mod.ts") = await import(href);
  await fleet.publish(web1, "a", "refused", "b");
  backend.awayUntil = HOUR;
  backend.failure = () => new other.BackendUnavailableError("The backend is away");
  let attempts = 0;
  await using watcher = watch(web2, (update) => {
    if (update.content !== "refused") return backend.write(update);
    attempts++;
    throw new other.RejectedUpdateError("Not this one");
  }, { manual: true, outagePatience: false });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(backend.contents, ["a", "b"]);
  assert.equal(attempts, 1);
  const letters = state.deadLetters.all().map(({ error, retryAt }) => [error, retryAt]);
  assert.deepEqual(letters, [["Not this one", null]]);
});

Deno.test("an update that fails while others are applied is no outage", async () => {
  await using fleet = new Fleet();
  const { state, web1, web2 } = setUp(fleet);
  await fleet.publish(web1, ...texts("a", 10));
  const applied: unknown[] = [];
  await using watcher = watch(web2, ({ content }) => {
    if (content === "a5") throw new Error("Cannot parse it");
    applied.push(content);
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.equal(applied.length, 9);
  assert.deepEqual(state.deadLetters.all().map(({ retryAt }) => retryAt), [null]);
});

Deno.test("a thrown error whose members cannot be read is one like others", async () => {
  await using fleet = new Fleet();
  const { state, web1, web2 } = setUp(fleet);
  await fleet.publish(web1, "a", "b");
  const hostile = () => {
    const getter = { get: () => assert.fail("It cannot be read") };
    return Object.defineProperties(new Error(), { message: getter, cause: getter });
  };
  const applied: unknown[] = [];
  await using watcher = watch(web2, ({ content }) => {
    if (content === "a") throw hostile();
    applied.push(content);
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(applied, ["b"]);
  assert.deepEqual(state.deadLetters.all().map(({ error }) => error), [
    "the error has no readable message",
  ]);
});

Deno.test("no URL of a plugin's target gets into log and dead letters with more than its origin", async () => {
  await using fleet = new Fleet();
  const { state, web1, web2 } = setUp(fleet);
  await fleet.publish(web1, "a");
  using log = captureLog();
  await using watcher = watch(web2, ({ url }) => {
    throw new RejectedUpdateError(
      `Cannot reach https://u:p@hooks.example/T0KEN?k=1: HTTP://x/T0KEN, http://[T0KEN refused ${url}`,
    );
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  const [{ error }] = state.deadLetters.all();
  assert.equal(error, `Cannot reach https://hooks.example: http://x, a URL refused ${urlOf("a")}`);
  assert.doesNotMatch(log.lines.join("\n"), /T0KEN/);
});
