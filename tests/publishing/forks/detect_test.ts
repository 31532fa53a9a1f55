import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Connection } from "../../../lib/connection.ts";
import { StoreUnavailableError } from "../../../lib/errors.ts";
import { asRow, asSeq } from "../../../lib/log/positions.ts";
import { publish } from "../../../lib/publish.ts";
import { State } from "../../../lib/state/state.ts";
import { Fleet, texts } from "../../fixture.ts";

/** A fleet whose web-1 keeps its state in a file that can be copied. */
async function withState(
  test: (
    fleet: Fleet,
    open: (path: string) => Connection,
    directory: string,
  ) => Promise<void>,
) {
  const directory = await Deno.makeTempDir();
  try {
    await using fleet = new Fleet();
    const owner = { server: "web-1", store: fleet.store.url };
    await test(
      fleet,
      (path) => fleet.server("web-1", { state: new State(path, owner, fleet.time.random) }),
      directory,
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function copy(from: string, to: string) {
  using db = new DatabaseSync(from);
  db.exec(`VACUUM INTO '${to}'`);
}

Deno.test("two machines with copies of one state lose nothing", async () => {
  await withState(async (fleet, open, directory) => {
    const [original, clone] = [`${directory}/a.db`, `${directory}/b.db`];
    const before = open(original);
    await fleet.publish(before, ...texts("a", 3));
    await fleet.time.run(before.close());
    copy(original, clone);
    const [one, two] = [open(original), open(clone)];
    await using received = fleet.watch(fleet.server("web-9"));
    await fleet.time.run(received.watcher.poll());
    for (const connection of [one, two]) connection.parts!.uploader.start();
    await fleet.time.pass(100); // Both look at their tail now, and see nothing of the other.
    await fleet.publish(one, "one-1");
    await fleet.publish(two, ...texts("two-", 20));
    await fleet.publish(one, ...texts("one-", 20, 2));
    await fleet.time.run(received.watcher.poll());
    const got = new Set(received.contents);
    for (const text of [...texts("a", 3), ...texts("one-", 21), ...texts("two-", 20)]) {
      assert.ok(got.has(text), `${text} is lost`);
    }
    assert.notEqual(one.stream, two.stream);
    assert.deepEqual(received.gaps, []);
  });
});

Deno.test("a state restored from an older backup begins a new stream and reads the old one", async () => {
  await withState(async (fleet, open, directory) => {
    const [current, backup] = [`${directory}/a.db`, `${directory}/b.db`];
    const before = open(current);
    await fleet.publish(before, "a1", "a2");
    copy(current, backup);
    await fleet.publish(before, ...texts("lost-", 15));
    const old = before.stream;
    await fleet.time.run(before.close());

    const restored = open(backup);
    await fleet.publish(restored, "b1");
    assert.notEqual(restored.stream, old);
    await using own = fleet.watch(restored);
    await fleet.time.run(own.watcher.poll());
    assert.deepEqual(own.contents, texts("lost-", 15), "what the restored state does not know");
    await using other = fleet.watch(fleet.server("web-9"));
    await fleet.time.run(other.watcher.poll());
    assert.deepEqual(new Set(other.contents), new Set(["a1", "a2", ...texts("lost-", 15), "b1"]));
  });
});

Deno.test("a stream is not continued once its newest commit is gone", async () => {
  await withState(async (fleet, open, directory) => {
    const path = `${directory}/a.db`;
    const before = open(path);
    await fleet.publish(before, "a1");
    const old = before.stream;
    await fleet.time.run(before.close());
    fleet.store.objects.clear();
    const after = open(path);
    await fleet.publish(after, "a2");
    assert.notEqual(after.stream, old);
    const [key] = fleet.keys();
    assert.deepEqual(fleet.read(key).map(({ seq, content }) => [seq, content]), [[1, "a2"]]);
  });
});

Deno.test("an unreadable commit in the own tail is a fork, too", async () => {
  await withState(async (fleet, open, directory) => {
    const path = `${directory}/a.db`;
    const before = open(path);
    await fleet.publish(before, "a1");
    const old = before.stream;
    await fleet.time.run(before.close());
    const key = await fleet.forge({ kind: "tail", stream: old, first: 2, last: 3 }, String);
    fleet.store.objects.set(key, { body: new Uint8Array(9), lastModified: 0 });
    const after = open(path);
    await fleet.publish(after, "a2");
    assert.notEqual(after.stream, old);
  });
});

Deno.test("a commit of an earlier run that is cut short on the way is read again, and is no fork", async () => {
  await withState(async (fleet, open, directory) => {
    const path = `${directory}/a.db`;
    const { store } = fleet;
    const before = open(path);
    await fleet.publish(before, "a1");
    const old = before.stream;
    const [key] = store.objects.keys();
    await fleet.time.run(before.close());
    {
      // As if it had landed without an answer.
      using state = new State(path, { server: "web-1", store: store.url }, fleet.time.random);
      state.ownStream.dropCommits(asSeq(1));
      state.ownStream.save({ uploadedRow: asRow(0) });
    }
    const whole = store.objects.get(key)!, { body } = whole;
    store.objects.set(key, { ...whole, body: body.subarray(0, body.length >> 1) });
    store.after("get", () => store.objects.set(key, whole), { times: 1 });
    const after = open(path);
    await fleet.publish(after, "a2");
    assert.equal(store.objects.get(key), whole, "it was read");
    assert.equal(after.stream, old);
  });
});

/** Publishes enough for closed segments; returns the first commit as it was. */
async function publishMuch(fleet: Fleet, server: Connection) {
  const url = "https://example.com/";
  await fleet.time.run(publish(server, { url, content: "first" }));
  const [key] = fleet.keys("tail/");
  const object = fleet.store.objects.get(key)!;
  for (let i = 0; i < 20; i++) {
    await fleet.time.run(publish(server, { url, content: "x".repeat(100_000) }));
  }
  assert.ok(!fleet.keys().includes(key));
  return { key, object };
}

Deno.test("a commit that lands again after it was sealed and closed is deleted", async () => {
  await withState(async (fleet, open, directory) => {
    const path = `${directory}/a.db`;
    const before = open(path);
    const { key, object } = await publishMuch(fleet, before);
    const stream = before.stream;
    await fleet.time.run(before.close());
    fleet.store.objects.set(key, object);
    const after = open(path);
    await fleet.publish(after, "b");
    await fleet.time.pass(11_000);
    assert.equal(after.stream, stream);
    assert.ok(!fleet.keys().includes(key));
  });
});

Deno.test("what another copy writes below the last closed segment arrives, and what it hides", async () => {
  await withState(async (fleet, open, directory) => {
    const path = `${directory}/a.db`;
    const before = open(path);
    await publishMuch(fleet, before);
    const stream = before.stream;
    await fleet.time.run(before.close());
    const theirs = await fleet.forge({ kind: "tail", stream, first: 1, last: 1 }, () => "theirs");
    for (let start = 0; start < 2; start++) {
      const after = open(path);
      await fleet.publish(after, "b");
      await fleet.time.pass(10_000);
      await fleet.time.run(after.close());
      assert.ok(fleet.keys().includes(theirs), "what the other copy wrote is kept");
      const apart = fleet.keys().filter((key) => !key.includes(stream))
        .flatMap((key) => fleet.read(key)).map(({ content }) => content);
      assert.deepEqual(apart.toSorted(), ["first", "theirs"], "once, however often it starts");
    }
  });
});

Deno.test("with includeOwn nothing is skipped here when a new stream is begun", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1", { includeOwn: true });
  await using received = fleet.watch(web1);
  await fleet.publish(web1, "a1");
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "a2", "a3");
  const fork = { kind: "tail", stream: web1.stream, first: 3, last: 4 } as const;
  await fleet.forge(fork, (seq) => `theirs-${seq}`);
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "a4");
  await fleet.time.run(received.watcher.poll());
  const got = new Set(received.contents);
  for (const text of texts("a", 4)) assert.ok(got.has(text), `${text} is skipped`);
});

Deno.test("publish() resolves when its lost write is found in a listing", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a1");
  const stored = Promise.withResolvers<void>();
  fleet.store.after("put", () => {
    stored.resolve();
    throw new StoreUnavailableError("The response was lost");
  });
  await using received = fleet.watch(web1);
  const published = publish(web1, { url: "https://example.com/a2", content: "a2" });
  await stored.promise;
  await fleet.time.run(received.watcher.poll());
  assert.equal((await fleet.time.run(published)).status, "published");
});

Deno.test("a segment that is superseded while a fork is compared is looked for again", async () => {
  await withState(async (fleet, open, directory) => {
    const path = `${directory}/a.db`;
    const before = open(path);
    await fleet.publish(before, ...texts("a", 5));
    const stream = before.stream;
    await fleet.time.run(before.close());
    await fleet.forge({ kind: "tail", stream, first: 6, last: 6 }, String);
    const theirs = await fleet.forge({ kind: "segments", stream, first: 3, last: 4 }, String);
    fleet.store.before("get", async (key) => {
      if (key !== theirs || !fleet.store.objects.delete(key)) return;
      await fleet.forge({ kind: "segments", stream, first: 3, last: 5 }, String);
    });
    const after = open(path);
    await fleet.publish(after, "b");
    await fleet.time.pass(10_000);
    const again = fleet.keys().filter((key) => !key.includes(stream))
      .flatMap((key) => fleet.read(key)).map(({ content }) => content);
    assert.deepEqual(again.toSorted(), ["3", "4", "5", "a3", "a4", "a5", "b"]);
  });
});

Deno.test("publish() tells where the update is that another copy of the state has uploaded", async () => {
  await withState(async (fleet, open, directory) => {
    const [original, clone] = [`${directory}/a.db`, `${directory}/b.db`];
    const one = open(original);
    const failed = Promise.withResolvers<void>();
    const recover = fleet.store.before("put", () => {
      failed.resolve();
      throw new StoreUnavailableError("Not now");
    });
    const published = publish(one, { url: "https://example.com/a1", content: "a1" });
    await failed.promise;
    copy(original, clone);
    recover();
    const { stream } = one;
    const two = open(clone);
    two.parts!.uploader.start();
    await fleet.time.pass(10);
    await fleet.publish(two, "two-1");
    await using received = fleet.watch(one);
    await fleet.time.run(received.watcher.poll());
    const receipt = await fleet.time.run(published);
    assert.notEqual(one.stream, stream);
    assert.deepEqual(receipt, { ...receipt, status: "published", stream, seq: 1 });
  });
});
