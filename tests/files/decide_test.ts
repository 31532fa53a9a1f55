import assert from "node:assert/strict";
import {
  changeTimeOf,
  decideOnContent,
  decideOnRemoval,
  decideOnWrite,
  newestOf,
  type Origin,
} from "../../lib/files/decide.ts";

const content = {
  hash: "new",
  modifiedAt: 50,
  changedAt: 50,
  hasArrived: false,
  isOtherDirectory: false,
};
const removal = {
  hash: "seen",
  publishRemovals: true,
  hasOtherFile: false,
  newest: undefined,
  hasArrived: false,
};

/** What was seen in the file. */
const seen = (hash: string | null, { isLeft = false, publishedAt = 0 } = {}) => ({
  known: { hash, isLeft, publishedAt },
});

/** What the `.feed.json` says. */
const from = (time: number, hash?: string): { origin: Origin } => ({ origin: { time, hash } });

Deno.test("decideOnContent() publishes what follows the newest update, whatever its time", () => {
  const newest = { time: 100, hash: "old" };
  assert.equal(decideOnContent({ ...content, ...seen("old"), newest }), "publish");
  const removed = { time: 100, hash: null };
  assert.equal(decideOnContent({ ...content, ...seen(null), newest: removed }), "publish");
});

Deno.test("decideOnContent() lets the newer win when something was published beside the file", () => {
  for (const known of [seen("old"), seen(null), {}]) {
    const newest = { time: 49, hash: "other" };
    assert.equal(decideOnContent({ ...content, ...known, newest }), "publish");
    assert.equal(
      decideOnContent({ ...content, ...known, newest: { ...newest, time: 50 } }),
      "leave",
    );
    assert.equal(
      decideOnContent({ ...content, ...known, newest: { time: 49, hash: null } }),
      "publish",
    );
  }
});

Deno.test("decideOnContent() lets the newer win in another directory, but for what was published", () => {
  const facts = { ...content, isOtherDirectory: true, newest: { time: 100, hash: "old" } };
  for (const hash of ["old", null]) {
    assert.equal(decideOnContent({ ...facts, ...seen(hash) }), "leave");
    assert.equal(decideOnContent({ ...facts, ...seen(hash), changedAt: 101 }), "publish");
    assert.equal(decideOnContent({ ...facts, ...seen(hash, { publishedAt: 100 }) }), "publish");
  }
});

Deno.test("decideOnContent() leaves alone what was seen before, though a newer update is known", () => {
  for (const newest of [{ time: 100, hash: "other" }, undefined]) {
    assert.equal(decideOnContent({ ...content, ...seen("new"), newest }), "unchanged");
  }
});

Deno.test("decideOnContent() publishes what was left once it is saved again", () => {
  const facts = { ...content, ...seen("new", { isLeft: true }) };
  const newest = { time: 50, hash: "other" };
  assert.equal(decideOnContent({ ...facts, changedAt: 90, newest }), "unchanged");
  assert.equal(decideOnContent({ ...facts, modifiedAt: 90, newest }), "publish");
});

Deno.test("decideOnContent() only notes what equals the newest known content", () => {
  const newest = { time: 100, hash: "new" };
  assert.equal(decideOnContent({ ...content, ...seen("old"), newest }), "note");
  assert.equal(decideOnContent({ ...content, changedAt: 150, newest }), "note");
});

Deno.test("decideOnContent() only notes what was received while the file came to rest", () => {
  const newest = { time: 20, hash: "newer still" };
  assert.equal(decideOnContent({ ...content, ...seen("old"), newest, hasArrived: true }), "note");
});

Deno.test("decideOnContent() only notes what its .feed.json says was received, however little is known", () => {
  for (const newest of [undefined, { time: 20, hash: "other" }]) {
    assert.equal(decideOnContent({ ...content, ...from(10, "new"), newest }), "note");
    assert.equal(decideOnContent({ ...content, ...from(10, "another"), newest }), "publish");
    assert.equal(decideOnContent({ ...content, ...from(10), newest }), "publish");
  }
});

Deno.test("decideOnContent() publishes what was received and replaced, when it is put back", () => {
  const facts = { ...content, ...from(10, "new"), newest: { time: 30, hash: "mine" } };
  assert.equal(decideOnContent({ ...facts, ...seen("mine", { publishedAt: 30 }) }), "publish");
  assert.equal(decideOnContent({ ...facts, ...seen("other", { publishedAt: 10 }) }), "note");
});

Deno.test("decideOnContent() leaves received content that took the place of a newer update", () => {
  const facts = { ...content, ...from(10, "new"), newest: { time: 30, hash: "newer" } };
  assert.equal(decideOnContent({ ...facts, ...seen("newer") }), "leave");
});

Deno.test("decideOnContent() only notes what is about to be replaced, and publishes it when it is put back", () => {
  const origin = { time: 30, hash: "newer", replaces: { time: 10, hash: "new" } };
  const facts = { ...content, changedAt: 150, origin, newest: { time: 30, hash: "newer" } };
  for (const known of [{}, seen("before"), seen(null)]) {
    assert.equal(decideOnContent({ ...facts, ...known }), "note");
  }
  assert.equal(decideOnContent({ ...facts, ...seen("newer") }), "publish");
});

Deno.test("content beside a .feed.json of 0.1 was received, unless the state knows better", () => {
  const origin = { time: 10, isBeside: true };
  const facts = { ...content, origin, newest: { time: 20, hash: "newer" } };
  assert.equal(decideOnContent(facts), "note");
  assert.equal(decideOnContent({ ...facts, ...seen("other") }), "publish");
  assert.equal(decideOnContent({ ...facts, newest: { time: 10, hash: "other" } }), "publish");
  const newest = { time: 10, hash: "new" };
  const found = { hash: "new", ...seen("other"), origin: { time: 10 }, newest };
  assert.equal(decideOnWrite({ ...write, found }), "write");
});

Deno.test("newestOf() takes what the .feed.json tells for newer, unless that is of the future", () => {
  const known = { time: 20, hash: "known" };
  assert.deepEqual(newestOf(known, { time: 30, hash: "told" }, 40), { time: 30, hash: "told" });
  for (const origin of [undefined, { time: 30 }, { time: 10, hash: "told" }]) {
    assert.equal(newestOf(known, origin, 40), known);
  }
  assert.equal(newestOf(known, { time: 2 * 24 * 60 * 60 * 1000, hash: "told" }, 40), known);
});

Deno.test("changeTimeOf() believes the file system, at the first look the tools, both by the store's clock", () => {
  const status = { modifiedAt: 10, changedAt: 90 };
  assert.equal(changeTimeOf(status, { isFirst: false, clockOffset: 5 }), 95);
  assert.equal(changeTimeOf(status, { isFirst: true, clockOffset: 5 }), 15);
});

const write = { changedAt: 50, now: 1000, update: { time: 100, hash: "update" } };

Deno.test("decideOnWrite() writes over what is kept elsewhere", () => {
  const late = { ...write, changedAt: 200 };
  assert.equal(decideOnWrite({ ...late, found: { hash: "x", ...from(10, "x") } }), "write");
  assert.equal(decideOnWrite({ ...late, found: { hash: "x", ...seen("x") } }), "write");
  assert.equal(decideOnWrite({ ...late, found: { hash: "update" } }), "describe");
});

Deno.test("decideOnWrite() never writes over content that nobody has looked at", () => {
  const unseen = [
    undefined,
    { hash: "x" },
    { hash: "x", ...from(10) },
    { hash: "x", ...from(10, "y") },
    { hash: "x", ...seen("y") },
    { hash: "x", ...seen("x", { isLeft: true }) },
    { hash: "x", ...seen("y", { publishedAt: 20 }), ...from(10, "x") },
  ];
  for (const found of unseen) {
    assert.equal(decideOnWrite({ ...write, found }), "keep");
    assert.equal(decideOnWrite({ ...write, found, changedAt: 101 }), "leave");
  }
});

Deno.test("decideOnWrite() skips what is older than the update in the file, unless that is of the future", () => {
  const found = { hash: "x", ...from(101, "x") };
  assert.equal(decideOnWrite({ ...write, found }), "skip");
  const future = 2 * 24 * 60 * 60 * 1000;
  assert.equal(decideOnWrite({ ...write, found: { hash: "x", ...from(future, "x") } }), "write");
});

Deno.test("decideOnRemoval() publishes only when told to", () => {
  assert.equal(decideOnRemoval(removal), "publish");
  assert.equal(decideOnRemoval({ ...removal, publishRemovals: false }), "note");
});

Deno.test("decideOnRemoval() does not repeat a removal that was received", () => {
  assert.equal(decideOnRemoval({ ...removal, newest: { time: 1, hash: null } }), "note");
  const newest = { time: 2, hash: "back again" };
  assert.equal(decideOnRemoval({ ...removal, newest, hasArrived: true }), "note");
});

Deno.test("decideOnRemoval() leaves a feed of which something newer is known than was in the file", () => {
  assert.equal(decideOnRemoval({ ...removal, newest: { time: 1, hash: "newer" } }), "leave");
  assert.equal(decideOnRemoval({ ...removal, newest: { time: 1, hash: "seen" } }), "publish");
});

Deno.test("decideOnRemoval() keeps a feed that is still in another file", () => {
  assert.equal(decideOnRemoval({ ...removal, hasOtherFile: true }), "note");
});
