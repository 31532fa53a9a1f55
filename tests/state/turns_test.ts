import assert from "node:assert/strict";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { State } from "../../lib/state/state.ts";
import type { TurnRow } from "../../lib/state/turns.ts";

const MINUTE = 60_000, NOW = 1_800_000_000_000;

function newState(): State {
  return new State(":memory:", { server: "web-1", store: "memory:" }, systemEnvironment.random);
}

function row(name: string, changes: Partial<TurnRow> = {}): TurnRow {
  return {
    ...{ url: `https://${name}.com/`, feed: name, host: name, domain: name, domainName: name },
    ...{ addedAt: NOW, askedAt: null, everyMs: 15 * MINUTE, checkedAt: 0, notBefore: 0 },
    ...{ failures: 0, ttlMs: 0, leasedUntil: 0, etag: null, lastModified: null },
    ...{ contentHash: null, isOwnContent: 0, publishedHash: null, publishedAt: 0 },
    ...{ takenFrom: null, takenAt: 0 },
    ...changes,
  };
}

Deno.test("each change gets a revision, after which it can be asked for", () => {
  using state = newState();
  const { turns } = state;
  assert.equal(turns.revision(), 0);
  assert.equal(turns.save([row("a"), row("b")]), 1);
  assert.deepEqual(turns.changedAfter(0).map((one) => ({ ...one })), [row("a"), row("b")]);
  turns.notePublished("https://b.com/", { hash: "h", time: NOW });
  turns.notePublished("https://unknown.com/", { hash: "h", time: NOW });
  assert.equal(turns.revision(), 2);
  const [changed] = turns.changedAfter(1);
  assert.deepEqual([changed.url, changed.publishedHash, changed.checkedAt], [
    "https://b.com/",
    "h",
    NOW,
  ]);
  turns.drop(["https://a.com/", "https://b.com/"]);
  assert.deepEqual(turns.changedAfter(0).map(({ feed }) => feed), ["b"]);
  assert.equal(turns.save([row("c")]), 3);
});

Deno.test("only a later check of another server counts, with all that belongs to it", () => {
  using state = newState();
  const { turns } = state;
  turns.save([row("a", { checkedAt: NOW, isOwnContent: 1, etag: '"1"', contentHash: "h" })]);
  const check = { feed: "a", notBefore: 0, failures: 2, etag: '"2"', lastModified: null };
  turns.noteCheck({ ...check, checkedAt: NOW, contentHash: "i" });
  assert.equal(turns.changedAfter(0)[0].etag, '"1"');
  turns.noteCheck({ ...check, checkedAt: NOW + 1, contentHash: "i" });
  const [{ etag, contentHash, isOwnContent, failures }] = turns.changedAfter(0);
  assert.deepEqual([etag, contentHash, isOwnContent, failures], ['"2"', "i", 0, 2]);
});

Deno.test("what was checked within twice its interval is handed over, or is left alone", () => {
  using state = newState();
  const { turns } = state;
  turns.save([
    row("never"),
    row("new", { checkedAt: NOW - 29 * MINUTE }),
    row("old", { checkedAt: NOW - 31 * MINUTE }),
    row("held", { checkedAt: NOW - 60 * MINUTE, notBefore: NOW + MINUTE }),
  ]);
  assert.deepEqual(turns.toHandOver(NOW, 10).map(({ feed }) => feed), ["new", "held"]);
  assert.deepEqual(turns.toHandOver(NOW, 1).map(({ feed }) => feed), ["new"]);
});

Deno.test("hosts that are left alone are forgotten afterwards", () => {
  using state = newState();
  const { turns } = state;
  turns.hold({ host: "a", until: NOW + 1 });
  turns.hold({ host: "b", until: NOW + 2 });
  assert.equal(turns.held(NOW, 10).length, 2);
  assert.deepEqual(turns.held(NOW + 1, 10).map(({ host }) => host), ["b"]);
  turns.dropHeld(NOW + 1);
  assert.equal(turns.held(NOW, 10).length, 1);
});

Deno.test("lists of other servers are kept as long as presences name them", () => {
  using state = newState();
  const { turns } = state;
  turns.addList("a", new Uint8Array([1, 2]), NOW);
  turns.addList("b", new Uint8Array([3]), NOW);
  assert.deepEqual([...turns.list("a")!], [1, 2]);
  assert.equal(turns.listBytes(), 3);
  turns.noteLists(["a"], { now: NOW + 10, before: NOW + 5 });
  assert.equal(turns.list("b"), undefined);
  assert.equal(turns.listBytes(), 2);
});
