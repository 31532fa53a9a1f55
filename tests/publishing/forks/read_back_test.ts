/**
 * Looking for copies of a state where GETs do not find what listings show: nothing is concluded from it.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Connection } from "../../../lib/connection.ts";
import { asSeq } from "../../../lib/log/positions.ts";
import { publish } from "../../../lib/publish.ts";
import { Fleet, survivingState, texts } from "../../fixture.ts";

/** A server whose stream has closed segments, and more that is sealed. */
async function begun(fleet: Fleet): Promise<{ web1: Connection; stream: string }> {
  const web1 = fleet.server("web-1", { state: survivingState("web-1", fleet) });
  const url = "https://example.com/";
  await fleet.time.run(publish(web1, { url, content: "first" }));
  for (let i = 0; i < 20; i++) {
    await fleet.time.run(publish(web1, { url, content: `${i} `.padEnd(100_000, "x") }));
  }
  await fleet.publish(web1, ...texts("a", 30));
  return { web1, stream: web1.stream };
}

/** Polls, and lets what is seen be dealt with. */
async function pollAs(connection: Connection, fleet: Fleet): Promise<void> {
  await using received = fleet.watch(connection);
  await fleet.time.run(received.watcher.poll());
  await fleet.time.pass(30_000);
}

/** What was published again outside of the stream. */
function apart(fleet: Fleet, stream: string): unknown[] {
  return fleet.keys().filter((key) => !key.includes(stream)).flatMap((key) => fleet.read(key))
    .map(({ content }) => content);
}

Deno.test("another copy's commit among what is sealed is not deleted while a GET does not find it", async () => {
  await using fleet = new Fleet();
  const { web1, stream } = await begun(fleet);
  const { sealedSeq, closedSeq } = web1.parts!.state.ownStream.load();
  assert.ok(sealedSeq > closedSeq + 1);
  const theirs = await fleet.forge(
    { kind: "tail", stream, first: sealedSeq, last: sealedSeq },
    () => "theirs",
  );
  fleet.store.hidden.set(theirs, Infinity);
  for (let poll = 0; poll < 3; poll++) await pollAs(web1, fleet);
  await fleet.publish(web1, ...texts("b", 20)); // Seals, and deletes leftovers.
  await fleet.time.pass(60_000);
  assert.ok(fleet.keys().includes(theirs), "it was deleted unread");
  fleet.store.hidden.clear();
  await fleet.time.pass(600_000);
  await pollAs(web1, fleet);
  await using received = fleet.watch(fleet.server("web-9"));
  await fleet.time.run(received.watcher.poll());
  assert.ok(received.contents.includes("theirs"), "another copy's update is lost");
});

Deno.test("another copy's commit below the last closed segment is kept until it was compared", async () => {
  for (const hides of ["the commit", "what it is compared with"]) {
    await using fleet = new Fleet();
    const { web1, stream } = await begun(fleet);
    const segments = fleet.keys("segments/");
    const theirs = await fleet.forge({ kind: "tail", stream, first: 1, last: 1 }, () => "theirs");
    const hidden = hides === "the commit" ? [theirs] : segments;
    for (const key of hidden) fleet.store.hidden.set(key, Infinity);
    for (let poll = 0; poll < 3; poll++) await pollAs(web1, fleet);
    await fleet.publish(web1, ...texts("b", 20));
    await fleet.time.pass(60_000);
    assert.ok(fleet.keys().includes(theirs), `deleted while ${hides} is not found`);
    fleet.store.hidden.clear();
    await fleet.time.pass(600_000);
    await pollAs(web1, fleet);
    assert.deepEqual(apart(fleet, stream).toSorted(), ["first", "theirs"]);
  }
});

Deno.test("what another copy wrote to a stream that was given up is looked into once it is found", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 3));
  const { stream } = web1;
  await fleet.forge({ kind: "tail", stream, first: 4, last: 4 }, () => "fork");
  await pollAs(web1, fleet);
  assert.notEqual(web1.stream, stream);
  const theirs = await fleet.forge({ kind: "tail", stream, first: 2, last: 2 }, () => "theirs");
  fleet.store.hidden.set(theirs, Infinity);
  for (let poll = 0; poll < 3; poll++) await pollAs(web1, fleet);
  assert.ok(!apart(fleet, stream).includes("theirs"));
  fleet.store.hidden.clear();
  await fleet.time.pass(600_000);
  await pollAs(web1, fleet);
  assert.deepEqual(apart(fleet, stream).toSorted(), ["a2", "theirs"]);
});

Deno.test("an own commit that is listed and not found is no reason to give the stream up", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 3));
  const { stream } = web1;
  web1.parts!.state.ownStream.dropCommits(asSeq(3)); // As if they had landed without an answer.
  for (const key of fleet.keys()) fleet.store.hidden.set(key, Infinity);
  for (let poll = 0; poll < 5; poll++) await pollAs(web1, fleet);
  await fleet.publish(web1, "a4");
  assert.equal(web1.stream, stream);
});

Deno.test("what is never found costs few requests", async () => {
  await using fleet = new Fleet();
  const { web1, stream } = await begun(fleet);
  const theirs = await fleet.forge({ kind: "tail", stream, first: 1, last: 1 }, () => "theirs");
  fleet.store.hidden.set(theirs, Infinity);
  await using received = fleet.watch(web1);
  const { get } = fleet.store.requests;
  for (let poll = 0; poll < 360; poll++) {
    await fleet.time.run(received.watcher.poll());
    await fleet.time.pass(10_000);
  }
  assert.ok(fleet.store.requests.get - get < 60, `${fleet.store.requests.get - get} GETs an hour`);
});
