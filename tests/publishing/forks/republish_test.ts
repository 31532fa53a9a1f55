import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Connection } from "../../../lib/connection.ts";
import { State } from "../../../lib/state/state.ts";
import { Fleet, type Received, texts } from "../../fixture.ts";

/** Two copies of a state that have noticed each other and given their stream up. */
class Copies implements AsyncDisposable {
  readonly fleet = new Fleet();
  readonly directory = Deno.makeTempDirSync();
  /** The stream that both have given up. */
  stream = "";

  /** The copies go on by one update each, so that the seq 3 is the first to mean two things. */
  static async make(): Promise<{ copies: Copies; one: Connection; two: Connection }> {
    const copies = new Copies();
    const { fleet, directory } = copies;
    const original = copies.open("a.db");
    await fleet.publish(original, "a1", "a2");
    copies.stream = original.stream;
    await fleet.time.run(original.close());
    using db = new DatabaseSync(`${directory}/a.db`);
    db.exec(`VACUUM INTO '${directory}/b.db'`);
    const [one, two] = [copies.open("a.db"), copies.open("b.db")];
    for (const { parts } of [one, two]) parts!.uploader.start();
    await fleet.time.pass(100); // Both look at their tail now, and see nothing of the other.
    await Promise.all([fleet.publish(one, "one-1"), fleet.publish(two, "two-1")]);
    await copies.pollAs(one);
    await copies.pollAs(two);
    return { copies, one, two };
  }

  open(file: string): Connection {
    const { fleet, directory } = this;
    const owner = { server: "web-1", store: fleet.store.url };
    const state = new State(`${directory}/${file}`, owner, fleet.time.random);
    return fleet.server("web-1", { state });
  }

  /** Polls, and lets what is seen be dealt with. */
  async pollAs(connection: Connection): Promise<void> {
    await using received = this.fleet.watch(connection);
    await this.poll(received);
  }

  async poll({ watcher }: Received): Promise<void> {
    await this.fleet.time.run(watcher.poll());
    await this.fleet.time.pass(10_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
    await Deno.remove(this.directory, { recursive: true });
  }
}

Deno.test("what a third copy writes where the others have given up arrives, and so does what it hides", async () => {
  const { copies, one, two } = await Copies.make();
  await using _ends = copies;
  const { fleet, stream } = copies;
  assert.ok(one.stream !== stream && two.stream !== stream);
  await using before = fleet.watch(fleet.server("web-8"));
  await copies.poll(before);

  const told: string[] = [];
  one.parts!.uploader.onCommit.push(({ name, rows }) => {
    if (name.stream !== one.stream) told.push(...rows.map(({ url }) => url));
  });
  await fleet.forge({ kind: "tail", stream, first: 2, last: 2 }, () => "theirs");
  await copies.pollAs(one);
  assert.ok(told.length > 0, "what is published again is told of, as every commit is");

  await copies.poll(before);
  assert.ok(before.contents.includes("theirs"), "to a reader that was beyond it");
  await using after = fleet.watch(fleet.server("web-9"));
  await copies.poll(after);
  for (const text of ["a1", "a2", "theirs", "one-1", "two-1"]) {
    assert.ok(after.contents.includes(text), `${text} is lost to a reader that comes later`);
  }
});

Deno.test("conflicting updates are published again once, not at each start", async () => {
  const { copies, one } = await Copies.make();
  await using _ends = copies;
  const { fleet, stream } = copies;
  await fleet.forge({ kind: "tail", stream, first: 1, last: 1 }, () => "theirs");
  await copies.pollAs(one);
  const keys = fleet.keys();
  await fleet.time.run(one.close());
  await copies.pollAs(copies.open("a.db"));
  assert.deepEqual(fleet.keys(), keys);
});

Deno.test("another copy that goes on with a stream that was given up is read once", async () => {
  const { copies, one } = await Copies.make();
  await using _ends = copies;
  const { fleet, stream } = copies;
  await using received = fleet.watch(one);
  await copies.poll(received);
  for (const [index, text] of texts("theirs-", 3).entries()) {
    const [first, { get }] = [4 + index, fleet.store.requests];
    await fleet.forge({ kind: "tail", stream, first, last: first }, () => text);
    await copies.poll(received);
    assert.equal(fleet.store.requests.get, get + 1, "the reader's GET and no other");
  }
  for (const text of texts("theirs-", 3)) assert.ok(received.contents.includes(text));
});
