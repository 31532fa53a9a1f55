/**
 * What every store must do, see `lib/stores/store.ts`.
 *
 * @module
 */
import assert from "node:assert/strict";
import type {
  ListOptions,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
} from "../../lib/stores/store.ts";

/** An empty place for objects, which several stores may open at once. */
export interface Place extends AsyncDisposable {
  /** Opens it. */
  open(): Promise<ObjectStore>;
}

/** Options of {@linkcode testContract}. */
export interface ContractOptions {
  /** There is no such store here. */
  readonly ignore?: boolean;
  /** What a stand-in for a store is known not to do, and why. */
  readonly except?: Readonly<Record<string, string>>;
  /** Why it takes more requests than others; they are then not counted. */
  readonly extraRequests?: string | undefined;
}

/** Registers the contract for a kind of store, named `kind`. */
export function testContract(
  kind: string,
  makePlace: () => Promise<Place>,
  { ignore = false, except = {}, extraRequests }: ContractOptions = {},
): void {
  if (extraRequests) console.log(`not counted: requests to ${kind} (${extraRequests})`);
  function assertRequests({ requests }: ObjectStore, expected: Partial<RequestCounts>): void {
    if (!extraRequests) assert.deepEqual(requests, { ...requests, ...expected });
  }

  function test(
    name: string,
    check: (store: ObjectStore, place: Place) => Promise<void>,
  ): void {
    if (name in except) console.log(`skipped: ${kind}: ${name} (${except[name]})`);
    Deno.test({
      name: `${kind}: ${name}`,
      ignore: ignore || name in except,
      async fn() {
        await using place = await makePlace();
        await using store = await place.open();
        await check(store, place);
      },
    });
  }

  test("what put() wrote is there for everybody", async (store, place) => {
    const body = crypto.getRandomValues(new Uint8Array(1_000));
    await store.put("tail/web-1_abcdefgh/0000000000000001.1.ijklmnop", body);
    await using other = await place.open();
    const read = await other.get("tail/web-1_abcdefgh/0000000000000001.1.ijklmnop");
    assert.deepEqual(plain(read), body);
    const [object] = await list(other, "tail/");
    assert.equal(object.key, "tail/web-1_abcdefgh/0000000000000001.1.ijklmnop");
    assert.equal(object.size, 1_000);
    assert.ok(Math.abs(object.lastModified! - Date.now()) < 60_000);
  });

  test("put() replaces an object", async (store) => {
    await store.put("a", bytes("first"));
    await store.put("a", bytes("second"));
    assert.deepEqual(plain(await store.get("a")), bytes("second"));
    assert.equal((await list(store, "")).length, 1);
  });

  test("an object may be empty", async (store) => {
    await store.put("a", new Uint8Array());
    assert.deepEqual(plain(await store.get("a")), new Uint8Array());
    assert.equal((await list(store, ""))[0].size, 0);
  });

  test("an object of 16 MiB comes back as it was", async (store) => {
    const body = new Uint8Array(16 * 1024 * 1024).map((_, index) => index ^ (index >> 8));
    await store.put("a", body);
    assert.ok(Buffer.from(body).equals((await store.get("a"))!));
  });

  test("what is not there is no error", async (store) => {
    assert.equal(await store.get("tail/nobody/1"), undefined);
    assert.deepEqual(await list(store, "tail/"), []);
    assert.deepEqual(await store.delete(["tail/nobody/1", "tail/nobody/2"]), []);
  });

  test("delete() takes what it is told and nothing else", async (store) => {
    for (const key of ["a/1", "a/2", "a/3", "b/1"]) await store.put(key, bytes(key));
    assert.deepEqual(await store.delete(["a/1", "a/4", "a/3"]), []);
    assert.deepEqual(await keys(store, ""), ["a/2", "b/1"]);
    assert.equal(await store.get("a/1"), undefined);
    assert.deepEqual(await store.delete([]), []);
  });

  test("list() shows each key, whatever is in it", async (store) => {
    const sorted = ["A", "a", "a-b", "a-b/c", "a.b/c", "a/b", "a/b.c", "a/b/c", "a0", "a~/b", "b"];
    const places = sorted.filter((key) => !sorted.some((other) => other.startsWith(`${key}/`)));
    for (const key of places.toReversed()) await store.put(key, bytes(key));
    assert.deepEqual(await keys(store, ""), places);
  });

  test("list() shows what begins with the prefix and is behind startAfter", async (store) => {
    const all = ["s/a/1", "s/a/2", "s/a/3", "s/ab/1", "s/b/1", "t/a/1"];
    for (const key of all) await store.put(key, bytes(key));
    assert.deepEqual(await keys(store, "s/a/"), ["s/a/1", "s/a/2", "s/a/3"]);
    assert.deepEqual(await keys(store, "s/a"), ["s/a/1", "s/a/2", "s/a/3", "s/ab/1"]);
    assert.deepEqual(await keys(store, "s/a/", { startAfter: "s/a/1" }), ["s/a/2", "s/a/3"]);
    assert.deepEqual(await keys(store, "s/a/", { startAfter: "s/a/2~" }), ["s/a/3"]);
    assert.deepEqual(await keys(store, "s/", { startAfter: "s/a/2" }), all.slice(2, 5));
    assert.deepEqual(await keys(store, "s/", { startAfter: "s/a/3" }), ["s/ab/1", "s/b/1"]);
    assert.deepEqual(await keys(store, "s/", { startAfter: "s/aa" }), ["s/ab/1", "s/b/1"]);
    assert.deepEqual(await keys(store, "s/", { startAfter: "t" }), []);
    assert.deepEqual(await keys(store, "", { startAfter: "s/b/1" }), ["t/a/1"]);
  });

  test("list() goes on beyond 1,000 objects, and delete() too", async (store) => {
    const all = Array.from({ length: 1_003 }, (_, i) => `s/${String(i).padStart(16, "0")}.1.w`);
    await inParallel(all, (key) => store.put(key, bytes("x")));
    assert.deepEqual(await keys(store, "s/"), all);
    assertRequests(store, { list: 2 });
    assert.deepEqual(await keys(store, "s/", { startAfter: all[1] }), all.slice(2));
    assertRequests(store, { list: 4 });
    assert.deepEqual(await keys(store, "s/", { startAfter: all[2] }), all.slice(3));
    assertRequests(store, { list: 5 });
    assert.deepEqual(await store.delete(all.slice(1)), []);
    assertRequests(store, { delete: 2 });
    assert.deepEqual(await keys(store, ""), all.slice(0, 1));
  });

  test("list() shows what stays while other objects come and go", async (store) => {
    const all = Array.from({ length: 1_100 }, (_, i) => `s/${String(i).padStart(4, "0")}`);
    await inParallel(all, (key) => store.put(key, bytes("x")));
    const gone = all.filter((_, index) => index % 3 === 0);
    const seen: string[] = [];
    for await (const { key } of store.list("s/")) {
      if (seen.length === 10) {
        await store.delete(gone);
        await store.put("s/0000~", bytes("x"));
      }
      seen.push(key);
    }
    const stayed = seen.filter((key) => all.includes(key) && !gone.includes(key));
    assert.deepEqual(stayed.toSorted(), all.filter((key) => !gone.includes(key)));
  });

  test("puts at the same time do not disturb each other", async (store, place) => {
    await using other = await place.open();
    const writes = Array.from({ length: 60 }, (_, index) => ({
      store: index % 2 === 0 ? store : other,
      key: `tail/s${index % 3}/${index % 40}`,
      body: bytes(`${index % 40}`.repeat(5_000)),
    }));
    await Promise.all(writes.map(({ store, key, body }) => store.put(key, body)));
    assert.equal((await list(store, "tail/")).length, new Set(writes.map(({ key }) => key)).size);
    for (const { key, body } of writes) assert.deepEqual(plain(await store.get(key)), body);
  });

  test("keys may hold what is special in paths and URLs", async (store) => {
    const odd = [
      "a b",
      "a%2Fb",
      "a+b",
      "a&<b>'\"c",
      "a?b=c#d",
      "a~",
      "a..",
      "~",
      "%",
      "%2e%2e",
      "é",
      "日本/語",
      "con",
      "-rf",
    ].sort();
    for (const key of odd) await store.put(`t/${key}`, bytes(key));
    for (const key of odd) assert.deepEqual(plain(await store.get(`t/${key}`)), bytes(key));
    assert.deepEqual(await keys(store, "t/"), odd.map((key) => `t/${key}`));
    assert.deepEqual(await keys(store, "t/a+"), ["t/a+b"]);
    assert.deepEqual(await store.delete(odd.map((key) => `t/${key}`)), []);
    assert.deepEqual(await keys(store, ""), []);
  });

  test("a part of a key may have 200 characters", async (store) => {
    const key = `t/${"x".repeat(200)}`;
    await store.put(key, bytes("x"));
    assert.deepEqual(plain(await store.get(key)), bytes("x"));
    assert.deepEqual(await keys(store, "t/"), [key]);
  });

  test("keys that lead out of the store are refused", async (store) => {
    const outside = ["", "/a", "a/", "a//b", "..", "../a", "a/../../b", "./a", ".tmp/a", "a\\b"];
    for (const key of [...outside, "a\0b", "a\nb", "\ud800"]) {
      await assert.rejects(store.put(key, bytes("x")), TypeError, key);
      await assert.rejects(store.get(key), TypeError, key);
      await assert.rejects(store.delete(["a", key]), TypeError, key);
    }
    for (const prefix of ["../", "/", "a/../", "a/../../b", ".tmp/"]) {
      await assert.rejects(list(store, prefix), TypeError, prefix);
    }
    assert.deepEqual(store.requests, { put: 0, get: 0, list: 0, delete: 0 });
  });

  test("the clock is known after the first answer", async (store) => {
    await store.put("a", bytes("x"));
    assert.ok(Math.abs(store.clockOffset!) < 60_000);
  });

  test("every operation is one request", async (store, place) => {
    await store.put("tail/a/1", bytes("x"));
    await using fresh = await place.open();
    await fresh.put("tail/a/2", bytes("x"));
    assertRequests(fresh, { put: 1, get: 0, list: 0, delete: 0 });
    await fresh.get("tail/a/1");
    await fresh.get("tail/a/3");
    assertRequests(fresh, { put: 1, get: 2, list: 0, delete: 0 });
    await list(fresh, "tail/");
    await list(fresh, "segments/");
    assertRequests(fresh, { put: 1, get: 2, list: 2, delete: 0 });
    await fresh.delete(["tail/a/1", "tail/a/2", "tail/a/3"]);
    assertRequests(fresh, { put: 1, get: 2, list: 2, delete: 1 });
  });

  test("a signal ends every operation with its reason", async (store) => {
    await store.put("a", bytes("x"));
    const before = { ...store.requests };
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(store.put("b", bytes("x"), { signal }), reason);
    await assert.rejects(store.get("a", { signal }), reason);
    await assert.rejects(list(store, "", { signal }), reason);
    await assert.rejects(store.delete(["a"], { signal }), reason);
    assert.deepEqual(store.requests, before);
    assert.deepEqual(await keys(store, ""), ["a"]);
  });

  test("a signal ends an operation that is under way", async (store) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const writing = store.put("a", new Uint8Array(8 * 1024 * 1024), controller);
    controller.abort(reason);
    await assert.rejects(writing, reason);
    await store.put("b", bytes("x"));
    assert.deepEqual(plain(await store.get("b")), bytes("x"));
  });

  test("the URL names the store", async (store) => {
    await Promise.resolve();
    assert.match(store.url, /^(s3|file):/);
    assert.doesNotMatch(store.url, /\/$/);
  });
}

/** Everything that a listing shows. */
export async function list(
  store: ObjectStore,
  prefix: string,
  options?: ListOptions,
): Promise<ObjectInfo[]> {
  return await Array.fromAsync(store.list(prefix, options));
}

/** The keys that a listing shows, sorted. */
export async function keys(
  store: ObjectStore,
  prefix: string,
  options?: ListOptions,
): Promise<string[]> {
  return (await list(store, prefix, options)).map(({ key }) => key).sort();
}

/** UTF-8. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A copy that `deepEqual` compares with other byte arrays. */
export function plain(body: Uint8Array | undefined): Uint8Array | undefined {
  return body && new Uint8Array(body);
}

async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const workers = Array.from({ length: 32 }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(workers);
}
