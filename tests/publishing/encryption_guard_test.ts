import assert from "node:assert/strict";
import { AccessDeniedError, ConfigError, StoreUnavailableError } from "../../lib/errors.ts";
import { captureLog, Keys } from "../encryption/keys.ts";
import { Fleet, survivingState, texts } from "../fixture.ts";
import { failing } from "../memory_store.ts";

const HOUR = 60 * 60 * 1000, DAY = 24 * HOUR;

const WITHOUT_KEYS =
  /Cannot publish to memory: without encryption: .*are encrypted \(tail\/web-\d_.*'encryption.keys'/;
const WITH_KEYS =
  /Cannot publish to memory: with encryption: .*not encrypted \(tail\/web-\d_.*allowPlaintext/;

/** What is thrown says this, and that nothing is lost. */
function refused(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, message);
    assert.match(error.message, /1 update is queued/);
    return true;
  };
}

Deno.test("a server without keys publishes nothing among what is encrypted, until it has keys", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const envelope = await keys.envelope();
  await fleet.publish(fleet.server("web-1", { envelope }), "secret");
  const before = fleet.keys();
  const state = survivingState("web-2", fleet);
  const mistaken = fleet.server("web-2", { state });
  await assert.rejects(fleet.publish(mistaken, "queued"), refused(WITHOUT_KEYS));
  await fleet.time.run(mistaken.close());
  assert.deepEqual(fleet.keys(), before);

  const web2 = fleet.server("web-2", { state, envelope });
  await fleet.publish(web2, "later");
  await using received = fleet.watch(fleet.server("web-3", { envelope }));
  await fleet.time.run(received.watcher.poll());
  assert.ok(received.contents.includes("secret"));
  const ofWeb2 = received.contents.filter((content) => content !== "secret");
  assert.deepEqual(ofWeb2, ["queued", "later"]);
});

Deno.test("a server with keys publishes nothing to servers without, unless it is told to", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "plain");
  const state = survivingState("web-2", fleet);
  const mistaken = fleet.server("web-2", { state, envelope: await keys.envelope() });
  await assert.rejects(fleet.publish(mistaken, "queued"), refused(WITH_KEYS));
  await fleet.time.run(mistaken.close());

  const switching = await keys.envelope({ allowPlaintext: true });
  const web2 = fleet.server("web-2", { state, envelope: switching });
  await fleet.publish(web2, "encrypted");
  await fleet.time.run(web2.close());
  const done = fleet.server("web-2", { state, envelope: await keys.envelope() });
  await fleet.publish(done, "without allowPlaintext");
});

Deno.test("a fleet is switched to encryption while the servers that are not restarted yet publish", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const switching = await keys.envelope({ allowPlaintext: true });
  const states = texts("web-", 2).map((name) => survivingState(name, fleet));
  const [web1, web2] = states.map((state, i) => fleet.server(`web-${i + 1}`, { state }));
  await fleet.publish(web1, "1");
  await fleet.publish(web2, "2");
  await fleet.time.run(web1.close());
  await fleet.publish(fleet.server("web-1", { state: states[0], envelope: switching }), "3");
  await fleet.publish(web2, "4");
  await fleet.time.run(web2.close());
  const restarted = fleet.server("web-2", { state: states[1] });
  await fleet.publish(restarted, "5");
  await fleet.time.run(restarted.close());
  await fleet.publish(fleet.server("web-2", { state: states[1], envelope: switching }), "6");
});

Deno.test("a server whose keys were taken out of its configuration publishes nothing unencrypted", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const envelope = await keys.envelope();
  const state = survivingState("web-1", fleet);
  const web1 = fleet.server("web-1", { state, envelope });
  await fleet.publish(web1, ...texts("secret", 5));
  await fleet.time.run(web1.close());
  await assert.rejects(
    fleet.publish(fleet.server("web-1", { state }), "queued"),
    refused(WITHOUT_KEYS),
  );
  assert.throws(() => fleet.keys().map((key) => fleet.read(key)));
});

Deno.test("one look is enough for a state, and commits cost what they did", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "1");
  const state = survivingState("web-2", fleet);
  const web2 = fleet.server("web-2", { state });
  await fleet.publish(web2, "2");
  assert.equal(fleet.store.requests.get, 1);
  await fleet.publish(web2, "3");
  await fleet.time.run(web2.close());
  const { list } = fleet.store.requests;
  await fleet.publish(fleet.server("web-2", { state }), "4");
  assert.equal(fleet.store.requests.get, 1);
  assert.equal(fleet.store.requests.list, list + 1, "for forks");
});

Deno.test("an empty bucket is looked at until something is in it", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const unavailable = new StoreUnavailableError("The store is away");
  const state = survivingState("web-2", fleet);
  const early = fleet.server("web-2", { state, publishTimeout: "1s", stopTimeout: "0s" });
  const recover = fleet.store.before("put", failing(unavailable));
  await assert.rejects(fleet.publish(early, "queued"), StoreUnavailableError);
  await fleet.time.run(early.close());
  recover();
  await fleet.publish(fleet.server("web-1", { envelope: await keys.envelope() }), "secret");
  await assert.rejects(fleet.publish(fleet.server("web-2", { state }), "2"), WITHOUT_KEYS);
});

Deno.test("when the log has expired, newest/ tells", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const envelope = await keys.envelope();
  const web1 = fleet.server("web-1", { envelope });
  await fleet.publish(web1, "secret");
  const { log } = web1.parts!;
  for (const name of await fleet.time.run(log.listStream("tail", web1.stream))) {
    const [update] = (await fleet.time.run(log.read(name)))!.decode().updates;
    await fleet.time.run(log.newest.write({ ...update, stream: web1.stream }));
    fleet.store.objects.delete(name.key);
  }
  const web2 = fleet.server("web-2", { state: survivingState("web-2", fleet) });
  await assert.rejects(fleet.publish(web2, "2"), /are encrypted \(newest\//);
});

Deno.test("a stray server without keys keeps no others from publishing", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const envelope = await keys.envelope();
  await fleet.publish(fleet.server("web-1", { envelope }), "secret");
  fleet.time.skip(1000);
  await fleet.forge({ kind: "tail", stream: "stray_abcdefgh", first: 1, last: 1 }, () => "plain");
  await fleet.publish(fleet.server("web-2", { envelope }), "2");
  const web3 = fleet.server("web-3", { state: survivingState("web-3", fleet) });
  await assert.rejects(fleet.publish(web3, "3"), WITHOUT_KEYS);
});

Deno.test("objects that somebody invented keep a new server from publishing, and no other", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "1");
  fleet.time.skip(1000);
  const key = "tail/stray_abcdefgh/0000000000000001.1.zzzzzzzz";
  await fleet.store.put(key, new TextEncoder().encode("eyJ, as an encrypted object begins"));
  const state = survivingState("web-2", fleet);
  await assert.rejects(fleet.publish(fleet.server("web-2", { state }), "queued"), ConfigError);
  await fleet.publish(web1, "2");
});

Deno.test("a look that fails is repeated, and one that is denied tells nothing", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "1");
  fleet.store.before("get", failing(new StoreUnavailableError("The store is away")), { times: 1 });
  await fleet.publish(fleet.server("web-2"), "2");
  fleet.store.before("get", failing(new AccessDeniedError("no")));
  await fleet.publish(fleet.server("web-3"), "3");
});

Deno.test("a watcher that may not publish reads on, and says why every hour, with few requests", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  using log = captureLog();
  const web1 = fleet.server("web-1", { envelope: await keys.envelope() });
  await fleet.publish(web1, "secret");
  await fleet.time.run(web1.close());
  const web2 = fleet.server("web-2", { state: survivingState("web-2", fleet) });
  await assert.rejects(fleet.publish(web2, "queued"), WITHOUT_KEYS);
  const { get, list } = fleet.store.requests;
  await fleet.time.pass(2.5 * HOUR);
  assert.deepEqual(fleet.store.requests, { ...fleet.store.requests, get: get + 2, list: list + 2 });
  assert.equal(log.lines.filter((line) => WITHOUT_KEYS.test(line)).length, 3);
  await fleet.forge({ kind: "tail", stream: "stray_abcdefgh", first: 1, last: 1 }, () => "plain");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["plain"]);
});

Deno.test("what is emptied is published to when it is looked at again", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1", { envelope: await keys.envelope() }), "secret");
  const web2 = fleet.server("web-2");
  await assert.rejects(fleet.publish(web2, "queued"), WITHOUT_KEYS);
  fleet.store.objects.clear();
  await fleet.time.pass(DAY);
  assert.equal(fleet.keys("tail/web-2").length, 1);
});
