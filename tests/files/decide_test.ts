import assert from "node:assert/strict";
import { decideOnContent, decideOnRemoval } from "../../lib/files/decide.ts";

const content = { hash: "new", modified: 50, received: false };
const removal = { publishRemovals: true, elsewhere: false, newest: undefined, received: false };

Deno.test("decideOnContent() publishes what differs from the last look and from the newest", () => {
  const newest = { time: 100, hash: "other" };
  assert.equal(decideOnContent({ ...content, seen: "old", newest }), "publish");
  assert.equal(decideOnContent({ ...content, seen: null, newest }), "publish");
});

Deno.test("decideOnContent() leaves alone what was seen before, though a newer update is known", () => {
  const newest = { time: 100, hash: "other" };
  assert.equal(decideOnContent({ ...content, seen: "new", newest }), "unchanged");
});

Deno.test("decideOnContent() only notes what equals the newest known content", () => {
  const newest = { time: 100, hash: "new" };
  assert.equal(decideOnContent({ ...content, seen: "old", newest }), "note");
  assert.equal(decideOnContent({ ...content, modified: 150, seen: undefined, newest }), "note");
});

Deno.test("decideOnContent() only notes what was received while the file came to rest", () => {
  const newest = { time: 100, hash: "newer still" };
  assert.equal(decideOnContent({ ...content, seen: "old", newest, received: true }), "note");
});

Deno.test("decideOnContent() publishes a new file only if it is newer than the newest update", () => {
  const facts = { ...content, seen: undefined };
  assert.equal(decideOnContent({ ...facts, newest: undefined }), "publish");
  assert.equal(decideOnContent({ ...facts, newest: { time: 49, hash: "other" } }), "publish");
  assert.equal(decideOnContent({ ...facts, newest: { time: 50, hash: "other" } }), "note");
  assert.equal(decideOnContent({ ...facts, newest: { time: 49, hash: null } }), "publish");
});

Deno.test("decideOnContent() publishes content seen before when its URL is unknown", () => {
  assert.equal(decideOnContent({ ...content, seen: "new", newest: undefined }), "publish");
});

Deno.test("decideOnRemoval() publishes only when told to", () => {
  assert.equal(decideOnRemoval(removal), "publish");
  assert.equal(decideOnRemoval({ ...removal, publishRemovals: false }), "note");
});

Deno.test("decideOnRemoval() does not repeat a removal that was received", () => {
  assert.equal(decideOnRemoval({ ...removal, newest: { time: 1, hash: null } }), "note");
  const newest = { time: 2, hash: "back again" };
  assert.equal(decideOnRemoval({ ...removal, newest, received: true }), "note");
});

Deno.test("decideOnRemoval() keeps a feed that is still in another file", () => {
  assert.equal(decideOnRemoval({ ...removal, elsewhere: true }), "note");
});
