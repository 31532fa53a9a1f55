import assert from "node:assert/strict";
import { cleanup } from "../lib/cleanup.ts";
import { connect } from "../lib/connect.ts";
import {
  AccessDeniedError,
  ClosedError,
  StoreUnavailableError,
  UpdatesLostError,
} from "../lib/errors.ts";
import { definePlugin } from "../lib/plugin.ts";
import { accept } from "../lib/publishing/accept.ts";
import { prepareUpdate } from "../lib/publishing/prepare.ts";
import { flush, publish } from "../lib/publish.ts";
import { watch } from "../lib/watch.ts";
import { watchFiles } from "../lib/watch_files.ts";
import { Fleet, survivingState, urlOf } from "./fixture.ts";
import { hanging } from "./memory_store.ts";

const UPDATE = { url: urlOf("a"), content: "a" };

/** A fleet whose store refuses writes for as long as `failing` is set. */
class Outage extends Fleet {
  failing: Error | undefined = new StoreUnavailableError("Cannot reach the store");

  constructor() {
    super();
    this.store.before("put", () => {
      if (this.failing) throw this.failing;
    });
  }
}

Deno.test("close() rejects when updates are lost that only memory held", async () => {
  await using fleet = new Outage();
  const server = fleet.server("web-1", { publishTimeout: "1s" });
  await assert.rejects(fleet.publish(server, "a"), /1 update is queued in memory only/);
  await assert.rejects(fleet.publish(server, "b"), StoreUnavailableError);
  await assert.rejects(fleet.time.run(server.close()), (error) => {
    assert.ok(error instanceof UpdatesLostError);
    assert.equal(error.lost, 2);
    assert.match(error.message, /^2 updates are lost .* in memory only: Cannot reach the store\. /);
    assert.ok(error.cause instanceof StoreUnavailableError);
    return true;
  });
});

Deno.test("'await using' leaves the error of publish() as it is, which told of the loss", async () => {
  await using fleet = new Outage();
  const run = async () => {
    await using server = fleet.server("web-1", { publishTimeout: "1s" });
    await publish(server, [UPDATE, { url: urlOf("b"), content: "b" }]);
  };
  await assert.rejects(
    fleet.time.run(run()),
    { name: "StoreUnavailableError", message: /2 updates are queued in memory only, and lost/ },
  );
});

Deno.test("'await using' throws when nobody was told of a loss yet", async () => {
  for (const ended of ["given up", "never waited for"]) {
    await using fleet = new Outage();
    const run = async () => {
      await using server = fleet.server("web-1", { publishTimeout: "1s" });
      await assert.rejects(fleet.publish(server, "a"), StoreUnavailableError);
      if (ended === "given up") {
        const giveUp = new AbortController();
        const publishing = publish(server, UPDATE, { signal: giveUp.signal });
        for (let i = 0; i < 20; i++) await Promise.resolve(); // Until it waits for the upload.
        giveUp.abort(new Error("enough"));
        await assert.rejects(publishing, { message: "enough" });
      } else {
        accept(server.parts!, prepareUpdate(UPDATE));
      }
    };
    await assert.rejects(fleet.time.run(run()), { name: "UpdatesLostError", lost: 2 }, ended);
  }
});

Deno.test("who closes once more is not told again what is lost", async () => {
  await using fleet = new Outage();
  const server = fleet.server("web-1", { publishTimeout: "1s" });
  await assert.rejects(fleet.publish(server, "a"), StoreUnavailableError);
  const first = server.close(), second = server.close();
  await assert.rejects(fleet.time.run(first), UpdatesLostError);
  await second;
  await server[Symbol.asyncDispose]();
});

Deno.test("what is only in memory is tried until the time to stop is over", async () => {
  await using fleet = new Outage();
  const server = fleet.server("web-1", { publishTimeout: "1s", stopTimeout: "10s" });
  await assert.rejects(fleet.publish(server, "a"), StoreUnavailableError);
  fleet.time.clock.setTimer(8_000, () => fleet.failing = undefined);
  await fleet.time.run(server.close());
  assert.equal(fleet.keys("tail/").length, 1);
});

Deno.test("nobody waits for a store that refuses, to lose what is in memory", async () => {
  await using fleet = new Outage();
  fleet.failing = new AccessDeniedError("Access denied");
  const server = fleet.server("web-1");
  await assert.rejects(fleet.publish(server, "a"), AccessDeniedError);
  const begun = fleet.time.clock.now();
  await assert.rejects(fleet.time.run(server.close()), /1 update is lost .*: Access denied\. /);
  assert.equal(fleet.time.clock.now(), begun);
});

Deno.test("close() resolves when a file keeps what could not be uploaded", async () => {
  await using fleet = new Outage();
  const state = survivingState("web-1", fleet);
  const server = fleet.server("web-1", { state, publishTimeout: "1s" });
  await assert.rejects(fleet.publish(server, "a"), /1 update is queued and safe/);
  await fleet.time.run(server.close());
});

Deno.test("after closing, every call fails with a ClosedError", async () => {
  const store = `file:${await Deno.makeTempDir()}`;
  const directory = await Deno.makeTempDir();
  for (const config of [{ store }, { store, state: `${directory}/state.db` }, { enabled: false }]) {
    const sync = await connect({ ...config, server: "web-1" });
    const watcher = watch(sync, () => {}, { manual: true });
    const files = watchFiles(sync, directory, { manual: true });
    await watcher.poll();
    const { stream } = sync;
    await sync.close();
    for (
      const call of [
        () => publish(sync, UPDATE),
        () => publish(sync, []),
        () => flush(sync, {}),
        async () => await watch(sync, () => {}).ready,
        () => watcher.poll(),
        () => cleanup(sync),
        async () => await watchFiles(sync, directory).scan(),
        () => files.scan(),
      ]
    ) {
      await assert.rejects(call, ClosedError, `${call} ${config.state ?? "in memory"}`);
    }
    for (const closed of [watcher, files, sync]) {
      await closed.close();
      await closed[Symbol.asyncDispose]();
    }
    assert.equal(sync.stream, stream);
    assert.equal(typeof sync.requests.put, "number");
    assert.deepEqual(sync.wakeUps, { sent: 0, dropped: 0 });
  }
});

Deno.test("a watcher that is closed alone refuses to poll, the connection goes on", async () => {
  await using fleet = new Fleet();
  const server = fleet.server("web-1");
  const stopping = new AbortController();
  const watcher = watch(server, () => {}, { manual: true, signal: stopping.signal });
  await watcher.ready;
  stopping.abort(new Error("enough"));
  await watcher.finished;
  await assert.rejects(watcher.poll(), (error) => {
    assert.ok(error instanceof ClosedError);
    return (error.cause as Error).message === "enough";
  });
  await fleet.publish(server, "a");
  await using again = fleet.watch(server);
  await again.watcher.poll();
});

Deno.test("what is under way when the connection is closed ends with a ClosedError", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-1", fleet);
  const server = fleet.server("web-1", { state, stopTimeout: "1s" });
  const watcher = watch(server, () => {}, { manual: true });
  await watcher.ready;
  const cutOff = hanging(new StoreUnavailableError("cut off"));
  fleet.store.before("put", cutOff);
  fleet.store.before("list", cutOff);
  const calls = [publish(server, UPDATE), watcher.poll(), cleanup(server)];
  const ends = Promise.allSettled(calls);
  await fleet.time.run(server.close());
  for (const end of await ends) {
    assert.ok(end.status === "rejected" && end.reason instanceof ClosedError, Deno.inspect(end));
  }
});

Deno.test("the watcher ends with its connection, its running callback first", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a", "b");
  const reader = fleet.server("web-2"), events: string[] = [];
  const reached = Promise.withResolvers<void>();
  const watcher = watch(reader, async ({ content }) => {
    reached.resolve();
    await new Promise<void>((resolve) => fleet.time.clock.setTimer(5_000, resolve));
    events.push(`applied ${content}`);
  }, { manual: true });
  watcher.poll().catch(({ name }) => events.push(name));
  await fleet.time.run(reached.promise);
  await fleet.time.run(reader.close());
  await watcher.finished;
  assert.deepEqual(events, ["applied a", "ClosedError"]);
});

Deno.test("a setup that hangs holds up closing for stopTimeout, and is closed when it ends", async () => {
  await using fleet = new Fleet();
  const server = fleet.server("web-1", { stopTimeout: "5s" });
  const setUp = Promise.withResolvers<void>(), closed = Promise.withResolvers<void>();
  const slow = definePlugin({
    name: "slow",
    setup: () => setUp.promise,
    onUpdate() {},
    close: () => closed.resolve(),
  });
  const watcher = watch(server, slow);
  const begun = fleet.time.clock.now();
  await fleet.time.run(server.close());
  assert.equal(fleet.time.clock.now() - begun, 5_000);
  await watcher.finished;
  setUp.resolve();
  await closed.promise;
});

Deno.test("a second watcher of one connection is refused until the first has ended", async () => {
  await using fleet = new Fleet();
  const server = fleet.server("web-1");
  const first = watch(server, () => {}, { manual: true });
  assert.throws(() => watch(server, () => {}), { name: "TypeError", message: /watch twice/ });
  await first.close();
  await using second = watch(server, () => {}, { manual: true });
  await second.poll();
});
