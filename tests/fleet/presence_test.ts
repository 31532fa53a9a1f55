import assert from "node:assert/strict";
import { sleep } from "../../lib/base/environment.ts";
import { checked } from "../../lib/checked.ts";
import { cleanup } from "../../lib/cleanup.ts";
import type { Connection } from "../../lib/connection.ts";
import { due } from "../../lib/due.ts";
import { attempted } from "../../lib/fleet/written_presence.ts";
import { presenceName } from "../../lib/log/fleet/names.ts";
import type { PresenceReport } from "../../lib/log/fleet/presence.ts";
import { publish } from "../../lib/publish.ts";
import type { Watcher } from "../../lib/reading/watcher.ts";
import type { State } from "../../lib/state/state.ts";
import { watch } from "../../lib/watch.ts";
import { captureLog } from "../encryption/keys.ts";
import { Fleet, survivingState, urlOf } from "../fixture.ts";
import { failing, hanging } from "../memory_store.ts";

const MINUTE = 60_000, DAY = 24 * 60 * MINUTE;

/** Rare polls let hours pass quickly. */
const poll = "5m";

/** Starts watching, and lets so much time pass that the presence is written. */
async function started(fleet: Fleet, connection: Connection): Promise<Watcher> {
  const watcher = watch(connection, () => {});
  await fleet.time.run(watcher.complete);
  await fleet.time.pass(1_000);
  return watcher;
}

/** What the servers in the bucket say about themselves. */
async function reports(fleet: Fleet): Promise<PresenceReport[]> {
  const { log } = fleet, found: PresenceReport[] = [];
  for (const name of await log.fleet.listPresences()) {
    found.push((await log.fleet.readPresence(name))!.report);
  }
  return found;
}

Deno.test("a server that watches is present until it stops", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const watcher = await started(fleet, web1);
  const [key] = fleet.keys("present/");
  assert.match(key, new RegExp(`^present/${web1.stream}/[a-z2-7]{8}\\.300\\.1\\.-$`));
  await fleet.time.run(watcher.close());
  assert.deepEqual(fleet.keys("present/"), []);
});

Deno.test("a presence that is being written at the stop does not outlive it", async () => {
  await using fleet = new Fleet();
  const watcher = await started(fleet, fleet.server("web-1"));
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  fleet.store.before("put", async (key, signal) => {
    const object = fleet.store.objects.get(key);
    if (!key.startsWith("present/") || !object) return;
    reach();
    await sleep(fleet.time.clock, 1_000, signal).catch((error) => {
      // It has left the machine.
      fleet.time.clock.setTimer(1_000, () => fleet.store.objects.set(key, object));
      throw error;
    });
  });
  await fleet.time.run(reached);
  await fleet.time.run(watcher.close());
  await fleet.time.pass(5_000);
  assert.deepEqual(fleet.keys("present/"), []);
});

Deno.test("a server whose checks cannot be written at the stop says goodbye nevertheless", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), url = urlOf("a");
  const watcher = await started(fleet, web1);
  await fleet.time.run(due(web1, [url], { every: "15m" }));
  await fleet.time.run(checked(web1, url, { status: 200 }));
  fleet.store.before("put", hanging());
  await fleet.time.run(watcher.close());
  assert.deepEqual(fleet.keys("present/"), []);
});

Deno.test("a presence costs a PUT in five minutes, and a LIST an hour after the second one", async () => {
  await using fleet = new Fleet();
  const { requests } = fleet.store;
  let presences = 0;
  fleet.store.before("list", (prefix) => void (prefix === "present/" && presences++));
  await using _ = await started(fleet, fleet.server("web-1", { poll }));
  await fleet.time.pass(5 * MINUTE);
  const { put } = requests, before = presences;
  await fleet.time.pass(10 * 60 * MINUTE);
  const perHour = (requests.put - put) / 10;
  assert.ok(Math.abs(perHour - 12) < 0.5, `${perHour} PUTs an hour`);
  assert.ok(presences - before >= 9 && presences - before <= 10);
});

Deno.test("a server says what it has read, what it lacks and what waits in it", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), web2 = fleet.server("web-2");
  await fleet.publish(web2, "a", "b");
  await using _ = await started(fleet, web1);
  const [report] = await reports(fleet);
  assert.deepEqual(report.streams, [
    { stream: web2.stream, applied: 2, end: 2, behindSeconds: 0 },
  ]);
  assert.equal(report.feeds, 2);
  assert.equal(report.lastError, null);
  assert.equal(report.lastPublished, null);
  assert.ok(report.behindSeconds! <= 10);
  await fleet.publish(web1, "c");
  await fleet.time.pass(6 * MINUTE);
  const [later] = await reports(fleet);
  assert.equal(Date.parse(later.written) - Date.parse(later.lastPublished!) < 6 * MINUTE, true);
  assert.ok(later.behindSeconds! <= 11, "seconds since the last poll");
});

Deno.test("a server that cannot read a stream says which, why, and for how long it lacks something", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), web2 = fleet.server("web-2");
  await using watcher = watch(web1, () => {});
  await fleet.time.pass(2_000);
  await fleet.publish(web2, "a");
  for (const key of fleet.keys("tail/")) {
    await fleet.store.put(key, new TextEncoder().encode("damaged"));
  }
  await fleet.time.pass(12 * MINUTE);
  assert.ok(watcher);
  const [{ streams: [stream], behindSeconds }] = await reports(fleet);
  assert.equal(stream.stream, web2.stream);
  assert.deepEqual([stream.applied, stream.end], [0, 1]);
  assert.match(stream.held!, /not zstd-compressed/);
  assert.ok(stream.behindSeconds > 5 * 60 && stream.behindSeconds < 13 * 60);
  assert.ok(behindSeconds! >= stream.behindSeconds);
});

Deno.test("a server that cannot be told apart is noticed by both, and one that has crashed by none", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  const crashed = fleet.server("web-1", { poll });
  await using _ = await started(fleet, crashed);
  const [left] = fleet.keys("present/"), { body } = fleet.store.objects.get(left)!;
  await using _first = await started(fleet, fleet.server("web-2", { poll }));
  await fleet.time.pass(30 * MINUTE);
  const twice = () => log.lines.filter((line) => line.includes("is running with the name"));
  assert.deepEqual(twice(), []);
  await using _second = await started(fleet, fleet.server("web-2", { poll }));
  await fleet.time.pass(3 * 60 * MINUTE);
  assert.equal(new Set(twice()).size, 2);
  assert.ok(body);
});

Deno.test("a server that starts with the name of another one is told before that one has looked again", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  await using _first = await started(fleet, fleet.server("web-2", { poll }));
  await fleet.time.pass(62 * MINUTE); // Its presence is not written again soon after the start.
  await using _second = await started(fleet, fleet.server("web-2", { poll }));
  await fleet.time.pass(12 * MINUTE);
  assert.ok(log.lines.some((line) => line.includes("is running with the name")));
});

Deno.test("a former run of this server is cleared away, not taken for another server", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  const state: State = survivingState("web-1", fleet);
  const first = await started(fleet, fleet.server("web-1", { state, poll }));
  const [key] = fleet.keys("present/"), object = { ...fleet.store.objects.get(key)! };
  await fleet.time.run(first.close());
  fleet.store.objects.set(key, object); // It crashed.
  state.fleet.setPresence({ key, writer: "aaaaaaaa", written: [], keptAt: 0 });
  await using _ = await started(fleet, fleet.server("web-1", { state, poll }));
  await fleet.time.pass(90 * MINUTE);
  assert.equal(fleet.keys("present/").length, 1);
  assert.notEqual(fleet.keys("present/")[0], key);
  assert.deepEqual(log.lines.filter((line) => line.startsWith("warn")), []);
});

Deno.test("a former presence that could not be deleted is deleted later", async () => {
  await using fleet = new Fleet();
  const { member } = fleet.server("web-1").parts!, { store } = fleet;
  await fleet.time.run(member.keep());
  const [former] = fleet.keys("present/");
  store.before("delete", failing(new Error("no network")), { times: 1 });
  member.begin();
  await fleet.time.run(member.keep());
  assert.equal(fleet.keys("present/").length, 2);
  await fleet.time.pass(5 * MINUTE);
  await fleet.time.run(member.keep());
  assert.equal(fleet.keys("present/").length, 1);
  assert.ok(!fleet.keys("present/").includes(former));
});

Deno.test("a process that begins while a presence is written still gets a name of its own", async () => {
  await using fleet = new Fleet();
  const { member, state } = fleet.server("web-1").parts!;
  await fleet.time.run(member.keep());
  const former = member.own!;
  fleet.store.before("put", () => Promise.resolve(member.begin()), { times: 1 });
  await fleet.time.run(member.keep({ isRenewed: true }));
  assert.equal(attempted(state.fleet.presence(), former).writer, state.fleet.presence()!.writer);
  await fleet.time.run(member.keep());
  assert.notEqual(member.own!.writer, former.writer);
  assert.equal(fleet.keys("present/").length, 1);
});

Deno.test("a presence is deleted that was written although its write failed", async () => {
  await using fleet = new Fleet();
  const { member } = fleet.server("web-1").parts!, { store } = fleet;
  const mend = store.after("put", failing(new Error("no answer")));
  await assert.rejects(fleet.time.run(member.keep()), /no answer/);
  assert.equal(fleet.keys("present/").length, 1);
  await fleet.time.run(member.leave());
  assert.equal(fleet.keys("present/").length, 0);
  await assert.rejects(fleet.time.run(member.keep()), /no answer/);
  mend();
  member.begin();
  await fleet.time.run(member.keep());
  assert.equal(fleet.keys("present/").length, 1);
});

Deno.test("a copy of a machine is noticed although it shares the stream", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  const web1 = fleet.server("web-1", { poll });
  await using _ = await started(fleet, web1);
  const copy = presenceName({ ...web1.parts!.member.own!, writer: "zzzzzzzz" });
  const [report] = await reports(fleet);
  for (let minute = 0; minute < 130; minute++) {
    if (minute % 5 === 0) await fleet.log.fleet.writePresence(copy, report);
    await fleet.time.pass(MINUTE);
  }
  assert.ok(log.lines.some((line) => line.includes("a copy of this state")));
});

Deno.test("a server that is alone says so after a minute, once", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  await using _ = await started(fleet, fleet.server("web-1", { poll }));
  const said = () => log.lines.filter((line) => line.includes("is the bucket's name right"));
  await fleet.time.pass(50_000);
  assert.equal(said().length, 0);
  await fleet.time.pass(5 * 60 * MINUTE);
  assert.equal(said().length, 1);
});

Deno.test("a server that sees another one does not say that it is alone", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  await fleet.publish(fleet.server("web-2"), "a");
  await using _ = await started(fleet, fleet.server("web-1", { poll }));
  await fleet.time.pass(5 * MINUTE);
  assert.deepEqual(log.lines.filter((line) => line.includes("name right")), []);
});

Deno.test("without a presence nothing is written, and a state that fails does not end watching", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  await using _ = await started(fleet, fleet.server("web-1", { presence: false }));
  await fleet.time.pass(10 * MINUTE);
  assert.deepEqual(fleet.keys("present/"), []);
  fleet.store.before("put", (key) => {
    if (key.startsWith("present/")) throw new Error("refused");
  });
  const contents: unknown[] = [];
  await using watcher = watch(fleet.server("web-2"), ({ content }) => void contents.push(content));
  await fleet.time.pass(5 * MINUTE);
  await fleet.time.run(publish(fleet.server("web-3"), { url: urlOf("a"), content: "a" }));
  await fleet.time.pass(MINUTE);
  assert.deepEqual(contents, ["a"]);
  assert.equal(log.lines.filter((line) => line.includes("Cannot tell other servers")).length, 1);
  await fleet.time.run(watcher.close());
});

Deno.test("cleanup deletes after a day what servers that are gone have left behind", async () => {
  await using fleet = new Fleet();
  const { store, log } = fleet;
  const used = "a".repeat(32), unused = "b".repeat(32);
  const [report] = await (async () => {
    await using _ = await started(fleet, fleet.server("web-9"));
    return await reports(fleet);
  })();
  const name = (writer: string, list?: string) =>
    presenceName({ stream: "web-1_abcdefgh", writer, interval: 300, weight: 1, list });
  await log.fleet.writePresence(name("aaaaaaaa", unused), report);
  for (const digest of [used, unused]) await store.put(`lists/${digest}`, new Uint8Array(1));
  await store.put("checks/web-1/0000", new Uint8Array(1));
  await store.put("present/notes.txt", new Uint8Array(1));
  fleet.time.skip(DAY + MINUTE);
  await log.fleet.writePresence(name("bbbbbbbb", used), report);
  const connection = fleet.server("web-2");
  const dry = await fleet.time.run(cleanup(connection, { dryRun: true }));
  assert.equal(dry.departed, 2);
  assert.equal((await fleet.time.run(cleanup(connection))).departed, 2);
  assert.deepEqual(
    fleet.keys().filter((key) => /^(present|lists|checks)/.test(key)),
    ["checks/web-1/0000", `lists/${used}`, "present/notes.txt", name("bbbbbbbb", used).key],
  );
  fleet.time.skip(7 * DAY);
  assert.equal((await fleet.time.run(cleanup(connection))).departed, 3);
});
