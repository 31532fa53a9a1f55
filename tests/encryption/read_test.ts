import assert from "node:assert/strict";
import type { MissingKeyError } from "../../lib/errors.ts";
import { publish } from "../../lib/publish.ts";
import { Fleet, survivingState, texts, urlOf } from "../fixture.ts";
import { captureLog, Keys } from "./keys.ts";

const DAY = 24 * 60 * 60 * 1000;
const STREAM = "web-1_abcdefgh";

function errorsIn({ lines }: { lines: string[] }): string[] {
  return lines.filter((line) => line.startsWith("error"));
}

Deno.test("encrypted updates arrive, sealed or not, and nobody else can read them", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const [web1, web2] = await Promise.all(
    ["web-1", "web-2"].map(async (name) => fleet.server(name, { envelope: await keys.envelope() })),
  );
  await fleet.publish(web1, ...texts("secret", 30));
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, texts("secret", 30));
  assert.ok(fleet.keys("segments/").length > 0);
  for (const [key, { body }] of fleet.store.objects) {
    const text = new TextDecoder().decode(body);
    assert.match(text, /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
    assert.throws(() => fleet.read(key));
  }
});

Deno.test("a reader without the key says which it needs, once, and goes on when it is there", async () => {
  await using keys = await Keys.make();
  await using mine = await keys.copy();
  const added = await keys.add();
  await keys.putFirst(added);
  await using fleet = new Fleet();
  using log = captureLog();
  const web1 = fleet.server("web-1", { envelope: await keys.envelope() });
  const web2 = fleet.server("web-2", { envelope: await mine.envelope() });
  const web3 = fleet.server("web-3", { envelope: await mine.envelope() });
  await fleet.publish(web1, ...texts("a", 12));
  await fleet.publish(web2, "b");
  await using received = fleet.watch(web3);
  for (let i = 0; i < 5; i++) await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["b"]);
  assert.equal(web3.parts!.state.cursors.get(web1.stream), 0);
  assert.equal(errorsIn(log).length, 1);
  assert.ok(errorsIn(log)[0].includes(added) && errorsIn(log)[0].includes(mine.path));

  await mine.replaceBy(keys);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["b", ...texts("a", 12)]);
  assert.deepEqual(received.gaps, []);
  assert.equal(errorsIn(log).length, 1);
});

Deno.test("an object for which a key is missing is never given up while it is there", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1", { envelope: await keys.envelope() });
  const web2 = fleet.server("web-2", { retention: "1h", envelope: await others.envelope() });
  await using received = fleet.watch(web2);
  await fleet.publish(web1, "a1", "a2", "a3");
  const { stream } = web1;
  await fleet.time.run(received.watcher.poll());
  fleet.time.skip(3 * DAY);
  for (let i = 0; i < 3; i++) await fleet.time.run(received.watcher.poll());
  assert.deepEqual([received.contents, received.gaps], [[], []]);
  assert.equal(web2.parts!.state.cursors.get(stream), 0);

  for (const key of fleet.keys(`tail/${stream}`).slice(0, 2)) fleet.store.objects.delete(key);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [], "what is behind them cannot be read, which would prove it");
  await others.write(await keys.text());
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream, first: 1, last: 2 }]);
  assert.deepEqual(received.contents, ["a3"]);
});

Deno.test("what lies behind an object with a missing key waits, too, however long that takes", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using fleet = new Fleet();
  const [envelope, foreign] = [await keys.envelope(), await others.envelope()];
  const part = { kind: "tail", stream: STREAM } as const;
  await fleet.forge({ ...part, first: 1, last: 1, envelope: foreign }, () => "a1");
  await fleet.forge({ ...part, first: 2, last: 2, envelope }, () => "a2");
  await using received = fleet.watch(fleet.server("web-2", { retention: "1h", envelope }));
  for (let i = 0; i < 3; i++) {
    await fleet.time.run(received.watcher.poll());
    fleet.time.skip(DAY);
  }
  assert.deepEqual([received.contents, received.gaps], [[], []]);
  await keys.addAll(others);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual([received.contents, received.gaps], [["a1", "a2"], []]);
});

Deno.test("to wait for a key costs one GET a poll", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1", { envelope: await keys.envelope() }), "a1");
  await using received = fleet.watch(
    fleet.server("web-2", { envelope: await others.envelope() }),
  );
  await fleet.time.run(received.watcher.poll());
  const { get, list } = fleet.store.requests;
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(fleet.store.requests, { ...fleet.store.requests, get: get + 1, list: list + 1 });
});

Deno.test("what is gone before the key came is a gap as any other", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1", { envelope: await keys.envelope() });
  await using received = fleet.watch(
    fleet.server("web-2", { envelope: await others.envelope() }),
  );
  await received.watcher.poll();
  await fleet.publish(web1, "a1", "a2");
  await fleet.time.run(received.watcher.poll());
  fleet.store.objects.clear();
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream: web1.stream, first: 1, last: 2 }]);
});

Deno.test("what can be read in place of an object with a missing key is", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using fleet = new Fleet();
  const [envelope, foreign] = [await keys.envelope(), await others.envelope()];
  const part = { kind: "tail", stream: STREAM } as const;
  await fleet.forge(
    { ...part, first: 1, last: 2, writer: "aaaaaaaa", envelope },
    (seq) => `a${seq}`,
  );
  await fleet.forge({ ...part, first: 1, last: 3, writer: "bbbbbbbb", envelope: foreign }, String);
  await using received = fleet.watch(fleet.server("web-2", { envelope }));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a1", "a2"]);
});

Deno.test("a new state without the key waits, and then learns what had expired before", async () => {
  await using keys = await Keys.make();
  await using mine = await Keys.make();
  await using fleet = new Fleet();
  const envelope = await keys.envelope();
  const part = { kind: "tail", stream: STREAM, envelope } as const;
  await fleet.forge({ ...part, first: 11, last: 20 }, (seq) => `a${seq}`);
  for (const from of ["earliest", "now"] as const) {
    const server = fleet.server("web-2", { from, envelope: await mine.envelope() });
    await using received = fleet.watch(server);
    const { unreadable } = await fleet.time.run(received.watcher.poll());
    const [kid] = JSON.parse(await keys.text()).keys.map(({ kid }: { kid: string }) => kid);
    assert.deepEqual(unreadable.map((error) => (error as MissingKeyError).kid), [kid]);
    assert.deepEqual(received.contents, []);
    const text = await mine.text();
    await mine.write(await keys.text());
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, texts("a", 10, 11));
    assert.deepEqual(received.gaps, [{ stream: STREAM, first: 1, last: 10 }]);
    await mine.write(text);
  }
});

Deno.test("an object that names an unknown key keeps no new server from other streams", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using fleet = new Fleet();
  const envelope = await keys.envelope();
  const evil = { kind: "tail", stream: STREAM, envelope: await others.envelope() } as const;
  await fleet.forge({ ...evil, first: 5, last: 5 }, () => "evil");
  await fleet.publish(fleet.server("web-1", { envelope }), "a1");
  await using received = fleet.watch(fleet.server("web-2", { envelope }));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a1"]);
});

Deno.test("a server without keys waits for what is encrypted, and applies it once it has them", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  using log = captureLog();
  const state = survivingState("web-2", fleet);
  const web1 = fleet.server("web-1", { envelope: await keys.envelope({ allowPlaintext: true }) });
  const web3 = fleet.server("web-3");
  const plain = fleet.server("web-2", { state });
  {
    await using received = fleet.watch(plain);
    await fleet.publish(web3, "plain");
    await fleet.publish(web1, "a1", "a2");
    fleet.time.skip(3 * DAY);
    for (let i = 0; i < 3; i++) await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, ["plain"]);
    assert.match(
      errorsIn(log).join("\n"),
      /^[^\n]*no keys are configured: set 'encryption.keys'[^\n]*$/,
    );
  }
  await fleet.time.run(plain.close());
  const envelope = await keys.envelope({ allowPlaintext: true });
  await using received = fleet.watch(fleet.server("web-2", { state, envelope }));
  await fleet.publish(web3, "plain, too");
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents.toSorted(), ["a1", "a2", "plain, too"]);
  assert.deepEqual(received.gaps, []);
});

Deno.test("plain objects are not applied where there are keys, which is told", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  using log = captureLog();
  await fleet.publish(fleet.server("web-1"), "plain");
  await using received = fleet.watch(fleet.server("web-2", { envelope: await keys.envelope() }));
  for (let i = 0; i < 3; i++) await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, []);
  assert.match(errorsIn(log).join("\n"), /^[^\n]*it is not encrypted[^\n]*$/);
});

Deno.test("what was changed, cut off, or put in the place of another is told and never applied", async () => {
  await using keys = await Keys.make();
  const { k } = JSON.parse(await keys.text()).keys[0];
  const [other, elsewhere] = [STREAM.replace("web-1", "web-2"), "s3://bucket/elsewhere"];
  const tamperings: Record<string, (body: Uint8Array, fleet: Fleet) => unknown> = {
    "changed": (body) => body[body.length - 60] ^= 1,
    "changed in its header": (body) => body[10] ^= 1,
    "cut off": (body) => body.subarray(0, body.length - 10),
    "of another seq": (_, { store }) =>
      store.objects.get(`tail/${STREAM}/0000000000000002.1.zzzzzzzz`)!.body,
    "of another stream": (_, { store }) =>
      store.objects.get(`tail/${other}/0000000000000001.1.zzzzzzzz`)!.body,
    "of another prefix": (_, { store }) => store.objects.get("elsewhere")!.body,
  };
  for (const [how, tamper] of Object.entries(tamperings)) {
    await using fleet = new Fleet();
    using log = captureLog();
    const envelope = await keys.envelope();
    const part = { kind: "tail", envelope } as const;
    const key = await fleet.forge({ ...part, stream: STREAM, first: 1, last: 1 }, () => "right");
    const { body: moved } = fleet.store.objects.get(key)!;
    await fleet.forge({ ...part, stream: STREAM, first: 2, last: 2 }, () => "next");
    await fleet.forge({ ...part, stream: other, first: 1, last: 1 }, () => "other");
    const foreign = await keys.envelope({ store: elsewhere });
    await fleet.forge(
      { ...part, stream: STREAM, first: 1, last: 1, envelope: foreign },
      () => "foreign",
    );
    fleet.store.objects.set("elsewhere", fleet.store.objects.get(key)!);
    fleet.store.objects.set(key, { body: moved, lastModified: 0 });

    const right = moved.slice(), changed = tamper(moved, fleet);
    if (changed instanceof Uint8Array) {
      fleet.store.objects.set(key, { body: changed, lastModified: 0 });
    }
    await using received = fleet.watch(fleet.server("web-9", { envelope }));
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, ["other"], how);
    assert.equal(errorsIn(log).length, 1, how);
    assert.ok(errorsIn(log)[0].includes(`Cannot read ${key}: `), how);
    assert.ok(!log.lines.join().includes(k));

    fleet.store.objects.set(key, { body: right, lastModified: 0 });
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, ["other", "right", "next"], how);
  }
});

Deno.test("a publisher encrypts with the key that is the first now, without a restart", async () => {
  await using keys = await Keys.make();
  const [old] = await keys.kids();
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1", { envelope: await keys.envelope() });
  const kidOfNewest = () => {
    const { body } = fleet.store.objects.get(fleet.keys("tail/").at(-1)!)!;
    const [header] = new TextDecoder().decode(body).split(".");
    return JSON.parse(atob(header.replaceAll("-", "+").replaceAll("_", "/"))).kid;
  };
  await fleet.publish(web1, "a1");
  const added = await keys.add();
  await fleet.publish(web1, "a2");
  assert.equal(kidOfNewest(), old);
  await keys.putFirst(added);
  await fleet.publish(web1, "a3");
  assert.equal(kidOfNewest(), added);
  const text = await keys.text();
  await keys.write(text.slice(0, 100));
  await fleet.publish(web1, "a4");
  assert.equal(kidOfNewest(), added, "a half written file changes nothing");
  await fleet.time.run(publish(web1, { url: urlOf("a5"), content: "a5" }));
});
