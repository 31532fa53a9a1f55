import assert from "node:assert/strict";
import { AccessDeniedError, StateError, StoreUnavailableError } from "../../lib/errors.ts";
import { publish } from "../../lib/publish.ts";
import { Fleet, survivingState, texts } from "../fixture.ts";
import { failing } from "../memory_store.ts";

const SECOND = 1000, HOUR = 60 * 60 * SECOND;

/** Seven of these fill a segment. */
const LARGE = "a".repeat(40_000);

Deno.test("a clock that is set back holds up no upload", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "before");
  fleet.time.setBack(HOUR);
  const begun = fleet.time.clock.elapsed();
  await fleet.publish(web1, "after");
  assert.ok(fleet.time.clock.elapsed() - begun < SECOND);
});

Deno.test("a server that may not read goes on after a commit whose answer was lost", async () => {
  await using fleet = new Fleet();
  fleet.store.before("get", failing(new AccessDeniedError("no")));
  const state = survivingState("web-1", fleet);
  const web1 = fleet.server("web-1", { state, publishTimeout: "1s", stopTimeout: "0s" });
  await fleet.publish(web1, "1");
  const recover = fleet.store.after(
    "put",
    failing(new StoreUnavailableError("The answer is lost")),
  );
  await assert.rejects(fleet.publish(web1, "2"), StoreUnavailableError);
  await fleet.time.run(web1.close());
  recover();
  await fleet.publish(fleet.server("web-1", { state }), "3");
  assert.deepEqual(
    new Set(fleet.keys().flatMap((key) => fleet.read(key).map(({ content }) => content))),
    new Set(["1", "2", "3"]),
  );
});

Deno.test("what this server may not delete is forgotten when somebody else has deleted it", async () => {
  await using fleet = new Fleet();
  fleet.store.before("delete", failing(new AccessDeniedError("no")));
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(web1);
  for (const url of texts("https://example.com/", 30)) {
    await fleet.time.run(publish(web1, { url, content: LARGE }));
  }
  await fleet.time.run(received.watcher.poll());
  const { ownStream } = web1.parts!.state;
  const before = ownStream.knownKeys().size;
  for (const key of fleet.keys("tail/").slice(0, -1)) fleet.store.objects.delete(key);
  await fleet.time.run(received.watcher.poll());
  assert.ok(before > 30, `${before} keys were known`);
  assert.ok(ownStream.knownKeys().size < 12, `${ownStream.knownKeys().size} keys are known`);
});

Deno.test("a segment that was replaced is kept for readers that have just listed it", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 9));
  const [first] = fleet.keys("segments/");
  await fleet.publish(web1, ...texts("b", 8));
  assert.equal(fleet.keys("segments/").length, 2);
  assert.ok(fleet.keys("segments/").includes(first));
  await fleet.time.pass(21 * SECOND);
  assert.equal(fleet.keys("segments/").length, 1);
});

Deno.test("no new stream is begun while the old one is sealed", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), { ownStream } = web1.parts!.state;
  await using received = fleet.watch(web1);
  const mayStore = Promise.withResolvers<void>();
  fleet.store.before("put", async (key) => {
    if (key.startsWith("segments/")) await mayStore.promise;
  });
  await fleet.publish(web1, ...texts("a", 10));
  const { stream } = ownStream.load();
  fleet.store.objects.delete(fleet.keys("tail/").at(-1)!);
  await fleet.time.run(received.watcher.poll());
  await fleet.time.pass(10 * SECOND);
  assert.equal(ownStream.load().stream, stream);
  mayStore.resolve();
  await fleet.time.pass(10 * SECOND);
  const next = ownStream.load();
  assert.notEqual(next.stream, stream);
  assert.equal(next.sealedSeq, 0, "what was sealed is of the old one");
});

Deno.test("a listing that overlaps a seal raises no alarm", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(web1);
  for (const url of texts("https://example.com/a", 8)) {
    await fleet.time.run(publish(web1, { url, content: LARGE }));
  }
  fleet.store.after("list", async () => {
    for (const url of texts("https://example.com/b", 16)) {
      await publish(web1, { url, content: LARGE });
    }
  }, { times: 1 });
  const begun = fleet.time.clock.elapsed();
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "after");
  assert.ok(fleet.time.clock.elapsed() - begun < SECOND);
  assert.equal(fleet.store.requests.get, 0);
});

Deno.test("uploading goes on after the state could not be read for a while", async () => {
  await using fleet = new Fleet();
  let failures = 0;
  const state = survivingState("web-1", fleet, (call) => {
    if (call === "ownStream.load" && failures-- > 0) throw new StateError("disk I/O error");
  });
  const web1 = fleet.server("web-1", { state });
  await fleet.publish(web1, "1");
  failures = 6;
  web1.parts!.uploader.start();
  await fleet.time.pass(60 * SECOND);
  await fleet.publish(web1, "2");
  assert.equal(fleet.keys("tail/").length, 2);
});

Deno.test("a watcher that is closed leaves nothing behind at its connection", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const { onCommit } = web1.parts!.uploader;
  const before = onCommit.length;
  for (let i = 0; i < 3; i++) {
    await using received = fleet.watch(web1);
    await fleet.time.run(received.watcher.poll());
    assert.equal(onCommit.length, before + 1);
  }
  assert.equal(onCommit.length, before);
});
