import assert from "node:assert/strict";
import { objectName } from "../../lib/log/names.ts";
import { asSeq } from "../../lib/log/positions.ts";
import { publish } from "../../lib/publish.ts";
import { Fleet, survivingState, urlOf } from "../fixture.ts";
import { bodyOf, lineOf } from "./values.ts";

const DAY = 24 * 60 * 60 * 1000;

/** Puts an update that is dated `time` into a stream of its own. */
async function putDated(fleet: Fleet, time: string, content: string, letter = "a"): Promise<void> {
  const stream = `evil_${letter.repeat(8)}`;
  const name = objectName({ kind: "tail", stream, first: 1, last: 1, writer: "zzzzzzzz" });
  const line = lineOf(1, {
    id: JSON.stringify(crypto.randomUUID()),
    url: JSON.stringify(urlOf("feed")),
    time: JSON.stringify(time),
    content: JSON.stringify(content),
  });
  await fleet.store.put(name.key, bodyOf(name, [line]));
}

Deno.test("an update of the year 9999 is applied as of now, and what is published later is newer", async () => {
  await using fleet = new Fleet();
  const [web1, web2, web3] = ["web-1", "web-2", "web-3"].map((name) => fleet.server(name));
  await using one = fleet.watch(web1);
  await using two = fleet.watch(web2);
  await putDated(fleet, "9999-12-31T23:59:59.999Z", "poison");
  for (const { watcher } of [one, two]) await fleet.time.run(watcher.poll());
  assert.deepEqual(two.updates.map(({ time }) => time), ["2026-01-01T00:00:00.000Z"]);
  // By a server that has seen it, and by one that has not and never will.
  for (const server of [web1, web3]) {
    fleet.time.skip(1000);
    const receipt = await publish(server, { url: urlOf("feed"), content: server.server });
    assert.ok(
      receipt.status === "published" && receipt.time < "2026-01-02",
      JSON.stringify(receipt),
    );
    await fleet.time.run(two.watcher.poll());
  }
  const contents = two.updates.map(({ content, superseded }) => [content, superseded]);
  assert.deepEqual(contents, [["poison", false], ["web-1", false], ["web-3", false]]);
});

Deno.test("updates that are dated too far ahead keep their order, and their time when they come again", async () => {
  await using fleet = new Fleet();
  const stream = "ahead_aaaaaaaa", count = 20;
  const name = objectName({ kind: "tail", stream, first: 1, last: count, writer: "zzzzzzzz" });
  const lines = Array.from({ length: count }, (_, i) =>
    lineOf(i + 1, {
      id: JSON.stringify(crypto.randomUUID()),
      url: JSON.stringify(urlOf("feed")),
      time: JSON.stringify("9999-12-31T23:59:59.999Z"),
      content: JSON.stringify(String(i + 1)),
    }));
  await fleet.store.put(name.key, bodyOf(name, lines));
  const state = survivingState("web-2", fleet);
  const web2 = fleet.server("web-2", { state });
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  const times = received.updates.map(({ time }) => time);
  assert.deepEqual(times, times.toSorted());
  assert.equal(new Set(times).size, count);
  assert.equal(received.updates.at(-1)!.superseded, false);

  fleet.time.skip(1000);
  state.cursors.setBack(stream, asSeq(count - 1));
  await fleet.time.run(received.watcher.poll());
  assert.equal(received.updates.length, count + 1);
  assert.equal(received.updates.at(-1)!.time, times.at(-1));
});

Deno.test("a time that is less than a day ahead is believed, one that is more is not", async () => {
  await using fleet = new Fleet();
  const web2 = fleet.server("web-2");
  await using received = fleet.watch(web2);
  const now = fleet.time.clock.now();
  const times = [now + DAY, now + DAY + 1, now - 100 * DAY];
  for (const [index, time] of times.entries()) {
    await putDated(fleet, new Date(time).toISOString(), "x", "abc"[index]);
    await fleet.time.run(received.watcher.poll());
  }
  const given = received.updates.map(({ time }) => Date.parse(time));
  assert.deepEqual(given, [now + DAY, now, now - 100 * DAY]);
});

Deno.test("a time before 1970, which no key can hold, is not believed either", async () => {
  await using fleet = new Fleet();
  await using received = fleet.watch(fleet.server("web-2"));
  await putDated(fleet, "1970-01-01T00:00:00.000Z", "x", "a");
  await putDated(fleet, "1969-12-31T23:59:59.999Z", "x", "b");
  await fleet.time.run(received.watcher.poll());
  const given = received.updates.map(({ time }) => time).sort();
  assert.deepEqual(given, ["1970-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"]);
});

Deno.test("a clock that was years ahead and is set right hides nothing", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-2", fleet);
  const id = crypto.randomUUID();
  const time = fleet.time.clock.now() + 3 * 365 * DAY;
  state.newest.note(urlOf("feed"), { time, id, hash: null });
  await using received = fleet.watch(fleet.server("web-2", { state }));
  await publish(fleet.server("web-1"), { url: urlOf("feed"), content: "new" });
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.updates.map(({ superseded }) => superseded), [false]);
  const own = await publish(fleet.server("web-2", { state }), {
    url: urlOf("feed"),
    content: "own",
  });
  assert.ok(own.status === "published" && own.time < "2026-01-02", JSON.stringify(own));
});

Deno.test("dates that are none make an object unreadable", async () => {
  await using fleet = new Fleet();
  await using received = fleet.watch(fleet.server("web-2"));
  const times = [
    "+010000-01-01T00:00:00.000Z",
    "2026-13-01T00:00:00.000Z",
    "",
    "2026-01-01",
    "1e400",
  ];
  for (const [index, time] of times.entries()) await putDated(fleet, time, "x", "abcde"[index]);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.updates, []);
});
