import assert from "node:assert/strict";
import { resolveConfig } from "../lib/config/resolve.ts";
import { Connection } from "../lib/connection.ts";
import { type Clock, systemEnvironment } from "../lib/base/environment.ts";
import {
  AccessDeniedError,
  ConfigError,
  StateError,
  StoreUnavailableError,
} from "../lib/errors.ts";
import { publish } from "../lib/publish.ts";
import { watch } from "../lib/watch.ts";
import { texts, urlOf } from "./fixture.ts";
import { failing, hanging, MemoryStore } from "./memory_store.ts";

/** Timers up to this are those by which a process looks at the state. */
const LOOKING_MS = 100;

/** Connections that share one state file, as processes of one server do. */
class SharedState implements AsyncDisposable {
  readonly store = new MemoryStore(systemEnvironment.clock);
  readonly #path = Deno.makeTempDirSync();
  readonly #open: Connection[] = [];

  connect(config = {}, environment = systemEnvironment): Connection {
    const state = `${this.#path}/web-1.db`;
    const connection = new Connection(
      resolveConfig({ server: "web-1", ...config, state }),
      this.store,
      { environment },
    );
    this.#open.push(connection);
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#open) await connection.close();
    await Deno.remove(this.#path, { recursive: true });
  }
}

Deno.test("processes with one state publish to one stream, through the one that uploads", async () => {
  await using shared = new SharedState();
  const [one, two] = [shared.connect(), shared.connect()];
  await publish(one, { url: urlOf("a"), content: "a" });
  const lists = shared.store.requests.list;
  const receipts = await Promise.all(
    texts("b", 5).map((content) => publish(two, { url: urlOf(content), content })),
  );
  for (const receipt of receipts) {
    assert.ok(receipt.status === "published" && receipt.stream === one.stream);
  }
  const keys = [...shared.store.objects.keys()];
  assert.equal(new Set(keys.map((key) => key.split(".").at(-1))).size, 1, "one writer");
  assert.equal(shared.store.requests.list, lists, "a row, and no request of its own");
});

Deno.test("who uploads is told by others what they have published, and need not look", async () => {
  await using shared = new SharedState();
  const { clock } = systemEnvironment;
  const stopsLooking = Promise.withResolvers<void>();
  let looks = 0;
  const setTimer: Clock["setTimer"] = (ms, callback) => {
    if (ms > LOOKING_MS || ++looks === 1) return clock.setTimer(ms, callback);
    stopsLooking.resolve();
    return () => {};
  };
  const blind = { ...systemEnvironment, clock: { ...clock, setTimer } };
  const one = shared.connect({}, blind), two = shared.connect();
  await publish(one, { url: urlOf("a"), content: "a" });
  await stopsLooking.promise;
  const receipt = await publish(two, { url: urlOf("b"), content: "b" });
  assert.ok(receipt.status === "published" && receipt.stream === one.stream);
});

Deno.test("another process takes over when the one that uploads has ended", async () => {
  await using shared = new SharedState();
  const [one, two] = [shared.connect(), shared.connect()];
  await publish(one, { url: urlOf("a"), content: "a" });
  await publish(two, { url: urlOf("b"), content: "b" });
  await one.close();
  const receipt = await publish(two, { url: urlOf("c"), content: "c" });
  assert.ok(receipt.status === "published" && receipt.seq === 3);
});

Deno.test("who waits for another process learns the true reason of its failure", async () => {
  await using shared = new SharedState();
  const [one, two] = [shared.connect(), shared.connect({ publishTimeout: "300ms" })];
  await publish(one, { url: urlOf("a"), content: "a" });
  shared.store.before("put", failing(new StoreUnavailableError("Cannot reach the store: reset")));
  await assert.rejects(
    publish(two, { url: urlOf("b"), content: "b" }),
    /Cannot reach the store: reset \(1 update is queued and safe/,
  );
});

Deno.test("who waits for another process is told at once when the store refuses that one", async () => {
  for (const Refusal of [AccessDeniedError, ConfigError]) {
    await using shared = new SharedState();
    const [one, two] = [shared.connect(), shared.connect()];
    await publish(one, { url: urlOf("a"), content: "a" });
    shared.store.before("put", failing(new Refusal("Cannot write: no")));
    await assert.rejects(publish(two, { url: urlOf("b"), content: "b" }), (error) => {
      assert.ok(error instanceof Refusal, String(error));
      return /^Cannot write: no \(1 update is queued and safe/.test(error.message);
    });
  }
});

Deno.test("who waits is not told why a process failed that has ended since", async () => {
  await using shared = new SharedState();
  const one = shared.connect({ publishTimeout: "50ms", stopTimeout: "0s" });
  const recover = shared.store.before("put", failing(new StoreUnavailableError("refused")));
  await assert.rejects(publish(one, { url: urlOf("a"), content: "a" }), /refused/);
  await one.close();
  recover();
  shared.store.before("put", hanging());
  const two = shared.connect({ publishTimeout: "200ms", stopTimeout: "0s" });
  await assert.rejects(
    publish(two, { url: urlOf("b"), content: "b" }),
    /The store has not answered for 0\.2 s \(2 updates are queued and safe/,
  );
});

Deno.test("a second watch with the same state is refused", async () => {
  await using shared = new SharedState();
  const [one, two] = [shared.connect(), shared.connect()];
  await using first = watch(one, () => {}, { manual: true });
  await first.ready;
  const second = watch(two, () => {}, { manual: true });
  await assert.rejects(second.finished, (error) => {
    assert.ok(error instanceof StateError);
    return /another process already watches with it/.test(error.message);
  });
  await assert.rejects(second.ready, StateError);
});
