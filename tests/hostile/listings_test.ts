import assert from "node:assert/strict";
import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { decodeBody } from "../../lib/log/codec.ts";
import { cleanUp, problemsOf } from "../../lib/retention/clean_up.ts";
import { sleep } from "../../lib/base/environment.ts";
import { AccessDeniedError } from "../../lib/errors.ts";
import { objectName, parseKey } from "../../lib/log/names.ts";
import { publish } from "../../lib/publish.ts";
import { watch } from "../../lib/watch.ts";
import { Fleet, urlOf } from "../fixture.ts";
import { bodyOf, lineOf } from "./values.ts";

const GARBAGE = new Uint8Array([1, 2, 3]);
/** More than a call of a function takes arguments. */
const MANY = 150_000;

function key(stream: string, last: number): string {
  return objectName({ kind: "tail", stream, first: last, last, writer: "zzzzzzzz" }).key;
}

/** What is logged as a warning or worse until it is disposed of. */
function logged(): Disposable & { readonly records: LogRecord[] } {
  const records: LogRecord[] = [];
  configureSync({
    reset: true,
    sinks: { memory: (record) => void records.push(record) },
    loggers: [
      { category: ["feedsync"], lowestLevel: "warning", sinks: ["memory"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["memory"] },
    ],
  });
  return { records, [Symbol.dispose]: resetSync };
}

Deno.test("a stream of more commits than a call takes arguments ends no poll", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "a");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  for (let last = 1; last <= MANY; last++) {
    const name = parseKey(key("evil_abcdefgh", last))!;
    await fleet.store.put(name.key, last < 4 ? bodyOf(name, [lineOf(last)]) : GARBAGE);
  }
  await fleet.publish(web1, "b");
  // What cannot be read of it is tried again and again, but elsewhere nothing waits for that.
  const poll = received.watcher.poll();
  while (received.contents.length < 5) await fleet.time.pass(1);
  assert.deepEqual(received.contents.toSorted(), ["a", "b", "x", "x", "x"]);
  for (const name of fleet.keys("tail/evil_")) fleet.store.objects.delete(name);
  await fleet.time.run(poll);
  await fleet.publish(web1, "c");
  await fleet.time.run(received.watcher.poll());
  assert.equal(received.contents.at(-1), "c");
});

Deno.test("more commits in the own tail than a call takes arguments end no publishing", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a");
  const { stream } = web1;
  for (let last = 2; last <= MANY; last++) fleet.store.objects.set(key(stream, last), OLD);
  await using received = fleet.watch(web1);
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "b");
  assert.notEqual(web1.stream, stream);
  const report = await cleanUp(fleet.log, { maxAge: 600_000, problems: problemsOf(fleet.time) });
  assert.equal(report.failed, 0);
});

const OLD = { body: GARBAGE, lastModified: 0 };

Deno.test("a server that is new enters, although a stream is full of garbage", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a");
  for (let last = 2; last <= 5_000; last++) {
    await fleet.store.put(key("evil_abcdefgh", last), GARBAGE);
  }
  for (const from of ["earliest", "now"] as const) {
    const { get } = fleet.store.requests;
    const server = fleet.server(`new-${from}`, { from });
    await using received = fleet.watch(server);
    const poll = received.watcher.poll().catch(() => {});
    while (server.parts!.state.fact("entered") === undefined) await fleet.time.pass(100);
    assert.ok(fleet.store.requests.get - get < 500, `${fleet.store.requests.get - get} GETs`);
    await received.watcher.close();
    await poll;
  }
});

Deno.test("a young object keeps what is behind it in its stream, and nothing else, from being deleted", async () => {
  await using fleet = new Fleet();
  const DAY = 24 * 60 * 60 * 1000;
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  for (const server of [web1, web2]) await fleet.publish(server, "a", "b", "c");
  const [held, other] = [web1, web2].map(({ stream }) => `tail/${stream}/`);
  const garbage = key(web1.stream, 1).replace("tail/", "segments/");
  const { log } = fleet, problems = problemsOf(fleet.time);
  const clean = () => cleanUp(log, { maxAge: DAY, problems });
  for (let day = 1; day <= 3; day++) {
    fleet.time.skip(DAY + 1);
    await fleet.store.put(garbage, GARBAGE);
    await clean();
    assert.equal(fleet.keys(held).length, 2, "those behind it");
  }
  assert.deepEqual(fleet.keys(other), []);
  fleet.time.skip(DAY + 1);
  await clean();
  assert.deepEqual([fleet.keys("tail/"), fleet.keys("segments/")], [[], []]);
});

Deno.test("of thousands of unreadable objects and foreign keys the log has a hundred lines", async () => {
  using log = logged();
  await using fleet = new Fleet();
  for (let i = 1; i <= 3_000; i++) {
    const letters = i.toString(25).padStart(8, "a").replace(/\d/g, (digit) => "qrstuvwxyz"[+digit]);
    await fleet.store.put(key(`evil_${letters.slice(-8)}`, 1), GARBAGE);
    await fleet.store.put(`tail/foreign/${i}`, GARBAGE);
  }
  await using received = fleet.watch(fleet.server("web-2"));
  for (let poll = 0; poll < 3; poll++) await fleet.time.run(received.watcher.poll());
  assert.ok(log.records.length <= 103, `${log.records.length} lines`);
});

Deno.test("streams that were read before come before those that are new, LISTs and lines are bounded", async () => {
  using log = logged();
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a");
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  // Each of them seems to have a hole, for which both its tail and its segments are listed.
  for (let i = 0; i < 400; i++) {
    const stream = `a${i}_abcdefgh`;
    const name = parseKey(key(stream, 9))!;
    await fleet.store.put(name.key, bodyOf(name, [lineOf(9)]));
  }
  await fleet.publish(web1, "b");
  const requests: string[] = [];
  let running = 0, most = 0;
  fleet.store.before("get", (key) => void requests.push(key));
  fleet.store.before("list", async (prefix) => {
    requests.push(prefix);
    most = Math.max(most, ++running);
    for (let i = 0; i < 20; i++) await Promise.resolve();
  });
  fleet.store.after("list", () => void running--);
  await fleet.time.run(received.watcher.poll());
  assert.equal(requests[0], "tail/");
  assert.ok(requests[1].startsWith(`tail/${web1.stream}/`), requests[1]);
  assert.ok(most <= 8, `${most} LISTs at once`);
  assert.equal(received.gaps.length, 400);
  assert.ok(log.records.length <= 102, `${log.records.length} lines`);
});

Deno.test("objects that the store refuses hold up their streams only, and no log is filled", async () => {
  using log = logged();
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a");
  const denied = [key("evil_abcdefgh", 5), key(web1.stream, 2)];
  for (const key of denied) await fleet.store.put(key, GARBAGE);
  fleet.store.before("get", (key) => {
    if (!denied.includes(key)) return;
    throw new AccessDeniedError(`Access denied while reading ${key}`);
  });
  await using received = fleet.watch(fleet.server("new"));
  for (let poll = 0; poll < 5; poll++) {
    await assert.rejects(fleet.time.run(received.watcher.poll()), AccessDeniedError);
  }
  assert.deepEqual(received.contents, ["a"]);
  assert.ok(log.records.length <= 4, `${log.records.length} lines`);
  await using own = fleet.watch(web1);
  await fleet.time.run(own.watcher.poll()).catch(() => {});
  await fleet.publish(web1, "b");
  await fleet.time.run(received.watcher.poll()).catch(() => {});
  assert.ok(received.contents.includes("b"), "it is published, in a new stream");
});

Deno.test("a gap that somebody made up is reported, and the updates in it are applied nevertheless", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), { stream } = web1;
  await fleet.publish(web1, "a");
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  const made = key(stream, 1_000);
  await fleet.store.put(made, GARBAGE);
  await fleet.time.run(received.watcher.poll());
  fleet.store.objects.delete(made);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream, first: 2, last: 1_000 }]);
  await fleet.publish(web1, "b");
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a", "b"]);
});

Deno.test("a stream that was read before does not wait for those that somebody made up", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), { clock } = fleet.time;
  await fleet.publish(web1, "a");
  const applied: unknown[] = [];
  const reader = fleet.server("web-2", { poll: "1s", retention: false });
  const watcher = watch(reader, ({ content }) => void applied.push(content));
  await watcher.ready;
  await fleet.time.pass(5_000);
  for (let i = 0; i < 2_000; i++) await fleet.store.put(key(`a${i}_abcdefgh`, 9), GARBAGE);
  fleet.store.before("list", () => sleep(clock, 50));
  await fleet.time.pass(2_000); // The first of them are being read.
  await fleet.publish(web1, "b");
  const { list: before } = fleet.store.requests;
  await fleet.time.pass(2_000);
  assert.deepEqual(applied, ["a", "b"]);
  assert.ok(fleet.store.requests.list - before < 1_000, "the others are not done yet");
  await fleet.time.run(watcher.close());
});

Deno.test("an attacker's copy of an update, with other content, is not noticed: only encryption helps", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await publish(web1, { url: urlOf("a"), content: "mine" });
  const [own] = fleet.keys("tail/");
  const name = parseKey(own)!;
  const [{ id }] = decodeBody(name, fleet.store.objects.get(own)!.body);
  fleet.store.objects.set(own, {
    body: bodyOf(name, [lineOf(1, { id: JSON.stringify(id), content: '"forged"' })]),
    lastModified: fleet.time.clock.now(),
  });
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["forged"]);
});

Deno.test("keys that only look like ours are foreign", () => {
  const good = key("web-1_abcdefgh", 1);
  assert.ok(parseKey(good));
  const bad = [
    `${good}\n`,
    `\n${good}`,
    ` ${good}`,
    `${good}/`,
    `/${good}`,
    `${good}\0`,
    good.replace("web-1", "web/../1"),
    good.replace("web-1", ".."),
    good.replace("web-1", "web%2d1"),
    good.replace("web-1", "wéb-1"),
    good.replace("web-1", "we\u0301b-1"),
    good.replace("web-1", "w".repeat(64)),
    good.replace("web-1", ""),
    good.replace("0000000000000001", "000000000000000１"),
    good.replace("0000000000000001", "-000000000000001"),
    good.replace("0000000000000001", "0000000000000000"),
    good.replace("0000000000000001", "9007199254740992"),
    good.replace(".1.", ".-1."),
    good.replace(".1.", ".1e0."),
    good.replace(".1.", ".9007199254740993."),
    good.replace("tail", "Tail"),
  ];
  for (const key of bad) assert.equal(parseKey(key), undefined, JSON.stringify(key));
});
