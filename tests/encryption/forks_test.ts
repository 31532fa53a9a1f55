import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Connection } from "../../lib/connection.ts";
import type { Envelope } from "../../lib/log/encryption/envelope.ts";
import { publish } from "../../lib/publish.ts";
import { State } from "../../lib/state/state.ts";
import { Fleet, texts } from "../fixture.ts";
import { captureLog, Keys } from "./keys.ts";

/** Servers with copies of one state, and keys of their own. */
class Copies implements AsyncDisposable {
  readonly fleet = new Fleet();
  readonly #directory = Deno.makeTempDirSync();

  open(file: string, envelope: Envelope): Connection {
    const { fleet } = this;
    const owner = { server: "web-1", store: fleet.store.url };
    const state = new State(`${this.#directory}/${file}`, owner, fleet.time.random);
    return fleet.server("web-1", { state, envelope });
  }

  copy(from: string, to: string): void {
    using db = new DatabaseSync(`${this.#directory}/${from}`);
    db.exec(`VACUUM INTO '${this.#directory}/${to}'`);
  }

  /** Polls, and lets what is seen be dealt with. */
  async pollAs(connection: Connection): Promise<void> {
    await using received = this.fleet.watch(connection);
    await this.fleet.time.run(received.watcher.poll());
    await this.fleet.time.pass(10_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

Deno.test("copies of one state with keys that the other lacks lose nothing", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using all = await keys.copy();
  await all.addAll(others);
  await using copies = new Copies();
  const { fleet } = copies;

  const before = copies.open("a.db", await keys.envelope());
  await fleet.publish(before, "a1", "a2");
  await fleet.time.run(before.close());
  copies.copy("a.db", "b.db");
  const one = copies.open("a.db", await keys.envelope());
  const two = copies.open("b.db", await others.envelope());
  await using received = fleet.watch(fleet.server("web-9", { envelope: await all.envelope() }));
  for (const { parts } of [one, two]) parts!.uploader.start();
  await fleet.time.pass(100); // Both look at their tail now, and see nothing of the other.
  await fleet.publish(one, ...texts("one-", 12));
  await fleet.publish(two, ...texts("two-", 12));
  await copies.pollAs(one);
  await copies.pollAs(two);
  await fleet.publish(one, "one-13");
  await fleet.publish(two, "two-13");
  await fleet.time.run(received.watcher.poll());
  const got = new Set(received.contents);
  for (const text of ["a1", "a2", ...texts("one-", 13), ...texts("two-", 13)]) {
    assert.ok(got.has(text), `${text} is lost`);
  }
  assert.notEqual(one.stream, two.stream);

  const objects = fleet.keys();
  const { list } = fleet.store.requests;
  for (let i = 0; i < 3; i++) await copies.pollAs(two);
  const lists = fleet.store.requests.list - list;
  // A new watcher looks for the segments of both streams that are held, and then at all of them.
  assert.equal(lists, 3 * (1 + 2 * 3));
  await fleet.time.run(two.close());
  await copies.pollAs(copies.open("b.db", await others.envelope()));
  assert.deepEqual(fleet.keys(), objects, "nothing is published again at each start");
});

Deno.test("an own commit that cannot be decrypted is a fork: it is told, not deleted, and publishing goes on", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using copies = new Copies();
  using log = captureLog();
  const { fleet } = copies;
  const before = copies.open("a.db", await keys.envelope());
  await fleet.publish(before, "a1");
  const { stream } = before;
  await fleet.time.run(before.close());
  const envelope = await others.envelope();
  const key = await fleet.forge({ kind: "tail", stream, first: 2, last: 2, envelope }, () => "b");
  const after = copies.open("a.db", await keys.envelope());
  await fleet.publish(after, ...texts("a", 12, 2));
  assert.notEqual(after.stream, stream);
  assert.ok(fleet.keys().includes(key));
  const [kid] = await others.kids();
  const warnings = log.lines.filter((line) => line.startsWith("warning") && line.includes(kid));
  assert.equal(warnings.length, 1, warnings.join("\n"));

  // Nobody looks at it again, until the keys change.
  const { get } = fleet.store.requests;
  for (let i = 0; i < 3; i++) await copies.pollAs(after);
  assert.ok(fleet.store.requests.get - get <= 3, "the reader tries it at each poll, nobody else");
});

Deno.test("what another copy hides is published again when the key comes by which that is seen", async () => {
  await using keys = await Keys.make();
  await using mine = await keys.copy();
  await keys.putFirst(await keys.add());
  await using copies = new Copies();
  const { fleet } = copies;
  const before = copies.open("a.db", await mine.envelope());
  await fleet.publish(before, ...texts("a", 3));
  const { stream } = before;
  await fleet.time.run(before.close());
  const envelope = await keys.envelope();
  const forge = (seq: number, text: string) =>
    fleet.forge({ kind: "tail", stream, first: seq, last: seq, envelope }, () => text);
  const after = copies.open("a.db", await mine.envelope());
  await forge(4, "theirs-4"); // A fork.
  await fleet.publish(after, "b1");
  await forge(3, "theirs-3"); // Another meaning of a seq that readers have had.
  await copies.pollAs(after);
  await using early = fleet.watch(fleet.server("web-9", { envelope }));
  await fleet.time.run(early.watcher.poll());

  await mine.replaceBy(keys);
  await fleet.publish(after, "b2");
  await copies.pollAs(after);
  await copies.pollAs(after);
  await fleet.time.run(early.watcher.poll());
  for (const text of [...texts("a", 3), "b1", "b2", "theirs-3", "theirs-4"]) {
    assert.ok(early.contents.includes(text), `${text} is lost`);
  }
});

Deno.test("a late own commit is not deleted while nobody knows what stands at its seqs", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using copies = new Copies();
  const { fleet } = copies;
  const before = copies.open("a.db", await keys.envelope());
  const url = "https://example.com/";
  for (let i = 0; i < 20; i++) {
    const content = `${i}`.padEnd(100_000, "x");
    await fleet.time.run(publish(before, { url, content }));
  }
  await fleet.time.pass(21_000); // What sealing leaves is deleted.
  const { stream } = before;
  await fleet.time.run(before.close());

  const envelope = await others.envelope();
  const part = { kind: "tail", stream, first: 1, last: 1, envelope } as const;
  const key = await fleet.forge(part, () => "late");
  const after = copies.open("a.db", envelope);
  await fleet.publish(after, "next");
  await copies.pollAs(after);
  assert.ok(fleet.keys().includes(key));
  await using received = fleet.watch(fleet.server("web-9", { envelope }));
  await fleet.time.run(received.watcher.poll());
  assert.ok(received.contents.includes("late"), "it is published again, where nothing hides it");

  const objects = fleet.keys();
  await copies.pollAs(after);
  assert.deepEqual(fleet.keys(), objects, "it is neither deleted nor published again later");
  const another = await fleet.forge({ ...part, first: 2, last: 2 }, () => "later");
  for (let i = 0; i < 2; i++) await copies.pollAs(after);
  assert.ok(fleet.keys().includes(another));
  await fleet.time.run(received.watcher.poll());
  const times = received.contents.filter((content) => content === "later").length;
  assert.equal(times, 2, "where it was, and once where nothing hides it");

  const hidden = "0".padEnd(100_000, "x");
  assert.ok(!received.contents.includes(hidden));
  await others.addAll(keys);
  await fleet.publish(after, "with both keys");
  for (let i = 0; i < 2; i++) await copies.pollAs(after);
  await fleet.time.run(received.watcher.poll());
  assert.ok(received.contents.includes(hidden), "what they hid is, when the key is there");
});
