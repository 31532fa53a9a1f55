import assert from "node:assert/strict";
import { DeferredStore } from "../../lib/stores/deferred_store.ts";
import { Meter } from "../../lib/stores/meter.ts";
import type { ObjectStore } from "../../lib/stores/store.ts";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { MemoryStore } from "../memory_store.ts";
import { bytes, list } from "./contract.ts";

/** A store that is deferred, and what became of the one behind it. */
class Deferred {
  opened = 0;
  failures: Error[] = [];
  expected = 0;
  readonly store: ObjectStore;

  constructor() {
    this.store = new DeferredStore({
      url: "s3://bucket",
      service: "s3.example.com",
      meter: new Meter(systemEnvironment.clock, 1000),
      open: () => {
        this.opened++;
        const failure = this.failures.pop();
        if (failure) return Promise.reject(failure);
        const store: ObjectStore = new MemoryStore(systemEnvironment.clock);
        store.expectObjects = () => void this.expected++;
        return Promise.resolve(store);
      },
    });
  }
}

Deno.test("a deferred store is opened once, by the first requests", async () => {
  const deferred = new Deferred(), { store } = deferred;
  assert.deepEqual([store.url, store.service], ["s3://bucket", "s3.example.com"]);
  assert.deepEqual(store.requests, { put: 0, get: 0, list: 0, delete: 0 });
  assert.equal(deferred.opened, 0);
  await Promise.all([store.put("a", bytes("x")), store.put("b", bytes("y"))]);
  assert.deepEqual(await store.get("a"), bytes("x"));
  const keys = (await list(store, "")).map(({ key }) => key);
  assert.deepEqual(keys.toSorted(), ["a", "b"]);
  assert.deepEqual(await store.delete(["a"]), []);
  assert.equal(deferred.opened, 1);
});

Deno.test("a deferred store that cannot be opened is tried again", async () => {
  const deferred = new Deferred(), { store } = deferred, failure = new Error("not yet");
  deferred.failures.push(failure);
  await assert.rejects(store.get("a"), failure);
  assert.equal(await store.get("a"), undefined);
});

Deno.test("what a deferred store is told before it is opened reaches it", async () => {
  const deferred = new Deferred(), { store } = deferred;
  store.expectObjects!();
  assert.equal(deferred.expected, 0);
  await store.get("a");
  store.expectObjects!();
  assert.equal(deferred.expected, 2);
});

Deno.test("a deferred store that nobody needed is closed without being opened", async () => {
  const deferred = new Deferred();
  await deferred.store[Symbol.asyncDispose]();
  assert.equal(deferred.opened, 0);
});
