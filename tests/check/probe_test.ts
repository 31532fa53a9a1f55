/** Stores that behave as few do, in virtual time. */
import assert from "node:assert/strict";
import { checkConsistency } from "../../lib/check/consistency.ts";
import { checkListing } from "../../lib/check/listing.ts";
import { checkLatency } from "../../lib/check/latency.ts";
import { checkRights } from "../../lib/check/rights.ts";
import { probeStore } from "../../lib/check/probe.ts";
import { AccessDeniedError } from "../../lib/errors.ts";
import { sleep } from "../../lib/base/environment.ts";
import { failing, MemoryStore, shuffled } from "../memory_store.ts";
import { VirtualTime } from "../virtual_time.ts";
import { short } from "./findings.ts";

/** A store with a few objects. */
async function setting() {
  const time = new VirtualTime(), store = new MemoryStore(time.clock);
  for (const key of ["tail/a", "tail/b", "tail/c"]) await store.put(key, new Uint8Array([1]));
  const { signal } = new AbortController();
  const probe = (options = { signal }) =>
    time.run(probeStore(store, { environment: time, ...options }));
  return { time, store, probe };
}

function denied(): AccessDeniedError {
  const cause = Object.assign(new Error("no"), { name: "AccessDenied" });
  return new AccessDeniedError("Access denied", { cause });
}

Deno.test("what is seen late is doubtful, and tells how late", async () => {
  const { store, probe } = await setting();
  store.after("put", (key) => void store.hidden.set(key, 3));
  const found = short(checkConsistency({ probe: await probe(), store }));
  assert.deepEqual(found, ["warning: It takes 0.8 s until what was written can be read"]);
});

Deno.test("what is never seen is wrong, and what is deleted but still listed", async () => {
  const { store, probe } = await setting();
  store.unlisted.add("probe");
  store.after("put", (key) => void store.hidden.set(key, Infinity));
  const unseen = short(checkConsistency({ probe: await probe(), store }));
  assert.deepEqual(unseen.map((text) => text.replace(/^.*s it is/, "")), [
    " still not so that what was written can be read",
    " still not so that what was written is listed",
  ]);
  store.unlisted.clear();
  store.stale.set("probe", { body: new Uint8Array(), lastModified: 0 });
  const [listed] = short(checkConsistency({ probe: await probe(), store })).slice(-1);
  assert.match(listed, /^error: .* still not so that what was deleted is listed no more$/);
});

Deno.test("a store that lists in another order, and ignores where to start, is doubtful", async () => {
  const { store, probe } = await setting();
  assert.deepEqual(short(checkListing({ probe: await probe() })), [
    "ok: Listings are in order",
    "ok: Listings start where they are told to (start-after)",
  ]);
  store.order = shuffled;
  const [order] = short(checkListing({ probe: await probe() }));
  assert.equal(order, "warning: Listings are not in order");
  store.order = (key) => key === "probe~" ? "" : key;
  const [, start] = short(checkListing({ probe: await probe() }));
  assert.equal(start, "warning: Listings do not start where they are told to (start-after)");
});

Deno.test("a slow store is told to be slow", async () => {
  const { store, time, probe } = await setting();
  store.before("put", () => sleep(time.clock, 5000));
  const [found] = short(checkLatency({ probe: await probe() }));
  assert.match(found, /^warning: It is slow: LIST 0 ms, GET 0 ms, PUT 5000 ms, DELETE 0 ms$/);
});

Deno.test("each right is checked whatever others are missing", async () => {
  const { store, probe } = await setting();
  store.before("list", failing(denied()));
  store.before("put", failing(denied()));
  assert.deepEqual(short(checkRights({ probe: await probe(), store })), [
    "error: Access denied",
    "error: Access denied",
    "ok: The right to read is given",
    "ok: The right to delete is given",
  ]);
  store.before("get", failing(denied()));
  const [, , read] = short(checkRights({ probe: await probe(), store }));
  assert.equal(read, "unchecked: the right to read");
});

Deno.test("a check that is stopped leaves no object behind", async () => {
  const { store, probe } = await setting();
  const controller = new AbortController();
  store.after("put", () => controller.abort(new Error("stopped")));
  await assert.rejects(probe({ signal: controller.signal }), /stopped/);
  assert.equal(store.objects.has("probe"), false);
});
