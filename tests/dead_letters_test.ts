import assert from "node:assert/strict";
import type { Connection } from "../lib/connection.ts";
import {
  ClosedError,
  connect,
  deadLetters,
  type Gap,
  publish,
  RejectedUpdateError,
  watch,
} from "../mod.ts";
import { Fleet, survivingState, texts, urlOf } from "./fixture.ts";

/** A server with a dead letter for each content. */
async function withLetters(fleet: Fleet, ...contents: string[]): Promise<Connection> {
  return await leaveLetters(fleet, fleet.server("web-2"), ...contents);
}

/** The same, with a state that survives its connection. */
async function withState(fleet: Fleet, ...contents: string[]) {
  const state = survivingState("web-2", fleet);
  return { state, web2: await leaveLetters(fleet, fleet.server("web-2", { state }), ...contents) };
}

async function leaveLetters(
  fleet: Fleet,
  web2: Connection,
  ...contents: string[]
): Promise<Connection> {
  await fleet.publish(fleet.server("web-1"), ...contents);
  await using watcher = watch(web2, () => {
    throw new RejectedUpdateError("I do not want it");
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  return web2;
}

Deno.test("deadLetters lists what could not be applied, with its update", async () => {
  await using fleet = new Fleet();
  const web2 = await withLetters(fleet, "a", "b");
  const letters = deadLetters(web2);
  const [first, second, ...others] = letters.list();
  assert.deepEqual(others, []);
  const { stream, ...told } = first;
  assert.match(stream, /^web-1_/);
  assert.deepEqual(told, {
    id: 1,
    plugin: "callback",
    seq: 1,
    url: urlOf("a"),
    error: "I do not want it",
    time: "2026-01-01T00:00:00.000Z",
  });
  assert.equal(letters.update(second.id)?.content, "b");
  assert.equal(letters.update(3), undefined);
});

Deno.test("deadLetters hands those that are asked for to the callback, and forgets what is applied", async () => {
  await using fleet = new Fleet();
  const letters = deadLetters(await withLetters(fleet, "a", "b", "c"));
  const applied: unknown[] = [], told: unknown[] = [];
  const receiver = ({ content }: { content?: unknown }) => {
    if (content === "b") throw new Error("Not yet");
    applied.push(content);
  };
  const onRetried = ({ id, status }: { id: number; status: string }) => void told.push(id, status);
  const results = await letters.retry({ ids: [2, 3, 9], receiver, onRetried });
  assert.deepEqual(
    results.map(({ id, status, error }) => [id, status, error]),
    [[2, "failed", "Not yet"], [3, "applied", "I do not want it"]],
  );
  assert.deepEqual(told, [2, "failed", 3, "applied"]);
  assert.deepEqual(applied, ["c"]);
  assert.deepEqual(letters.list().map(({ id, error }) => [id, error]), [
    [1, "I do not want it"],
    [2, "Not yet"],
  ]);
});

Deno.test("deadLetters retries with plugins by their names, and with none for those that are gone", async () => {
  await using fleet = new Fleet();
  const letters = deadLetters(await withLetters(fleet, "a"));
  const [{ error }] = await letters.retry({ receiver: [] });
  assert.equal(error, "No plugin with the name callback is configured");
  const applied: unknown[] = [];
  const plugin = {
    name: "callback",
    onUpdate: ({ content }: { content?: unknown }) => void applied.push(content),
    onGap: (_: Gap) => {},
    close: () => Promise.resolve(),
  };
  await letters.retry({ receiver: [plugin] });
  assert.deepEqual([applied, letters.list()], [["a"], []]);
});

Deno.test("deadLetters drops what it is told to", async () => {
  await using fleet = new Fleet();
  const letters = deadLetters(await withLetters(fleet, ...texts("a", 3)));
  assert.equal(letters.drop([1, 3, 7]), 2);
  assert.deepEqual(letters.list().map(({ id }) => id), [2]);
});

Deno.test("deadLetters waits for a call that runs for the same URL, unless it is aborted", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), url = urlOf("same");
  await publish(web1, { url, content: "old" });
  const web2 = fleet.server("web-2");
  let isRejecting = true;
  const begun = Promise.withResolvers<void>(), end = Promise.withResolvers<void>();
  await using watcher = watch(web2, () => {
    if (isRejecting) throw new RejectedUpdateError("I do not want it");
    begun.resolve();
    return end.promise;
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  isRejecting = false;
  fleet.time.skip(1000);
  await publish(web1, { url, content: "new" });
  const polling = watcher.poll();
  await begun.promise;
  const letters = deadLetters(web2);
  const aborted = new AbortController();
  const reason = new Error("Enough");
  const first = letters.retry({ receiver: () => {}, signal: aborted.signal });
  aborted.abort(reason);
  await assert.rejects(first, reason);
  const received: unknown[] = [];
  const second = letters.retry({
    receiver: ({ content, superseded }) => void received.push(content, superseded),
  });
  end.resolve();
  await Promise.all([polling, second]);
  assert.deepEqual(received, ["old", true]);
});

Deno.test("deadLetters of a connection that is closed all throw ClosedError", async () => {
  await using fleet = new Fleet();
  const web2 = await withLetters(fleet, "a");
  const letters = deadLetters(web2);
  await web2.close();
  for (const use of [() => letters.list(), () => letters.update(1), () => letters.drop([1])]) {
    assert.throws(use, ClosedError);
  }
  await assert.rejects(letters.retry({ receiver: () => {} }), ClosedError);
});

Deno.test("closing a connection waits for a dead letter that is being retried", async () => {
  await using fleet = new Fleet();
  const { state, web2 } = await withState(fleet, "a", "b");
  const begun = Promise.withResolvers<void>(), end = Promise.withResolvers<void>();
  const retrying = deadLetters(web2).retry({
    receiver: () => {
      begun.resolve();
      return end.promise;
    },
  });
  const failure = retrying.then(() => undefined, (error: unknown) => error);
  await begun.promise;
  const closing = web2.close();
  end.resolve();
  await closing;
  assert.ok(await failure instanceof ClosedError);
  assert.deepEqual(state.deadLetters.all().map(({ id }) => id), [2]);
});

Deno.test("a dead letter says when it is tried again, while the watcher has its plugin", async () => {
  await using fleet = new Fleet();
  const { state, web2 } = await withState(fleet, "a", "b");
  state.deadLetters.postpone(1, "away", 0);
  state.deadLetters.postpone(2, "away", Date.parse("2026-01-01T01:00:00Z"));
  const retries = () => deadLetters(web2).list().map(({ retryAt }) => retryAt);
  assert.deepEqual(retries(), ["2026-01-01T00:00:00.000Z", "2026-01-01T01:00:00.000Z"]);
  {
    await using _watcher = watch(web2, [], { manual: true });
    await _watcher.ready;
  }
  assert.deepEqual(retries(), [undefined, undefined]);
});

Deno.test("errors that older versions kept show no more of URLs than their origins", async () => {
  await using fleet = new Fleet();
  const { state, web2 } = await withState(fleet, "a");
  const error = `POST https://hooks.example/T0KEN for ${urlOf("a")}: 500`;
  state.deadLetters.postpone(1, error, null);
  const shown = `POST https://hooks.example for ${urlOf("a")}: 500`;
  assert.deepEqual(deadLetters(web2).list().map(({ error }) => error), [shown]);
});

Deno.test("deadLetters of a connection that is not enabled are none", async () => {
  await using sync = await connect({ enabled: false });
  const letters = deadLetters(sync);
  assert.deepEqual([letters.list(), await letters.retry(), letters.drop([1])], [[], [], 0]);
  assert.equal(letters.update(1), undefined);
});
