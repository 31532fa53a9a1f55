import fc from "fast-check";
import assert from "node:assert/strict";
import {
  compareNewest,
  type DatedNewest,
  greatestOf,
  type NewestName,
  newestName,
  parseNewestKey,
} from "../../../lib/log/newest/names.ts";
import { isPlausible } from "../../../lib/log/update_order.ts";

const HASH = "0123456789abcdef0123456789abcdef";
const ID = "00000000-0000-4000-8000-000000000001";
const NOW = Date.UTC(2026, 0, 1);
const DAY = 24 * 60 * 60 * 1000;

/** Names of one group; some have the same time, some differ in the last digit of the id only. */
const name: fc.Arbitrary<NewestName> = fc.record({
  hash: fc.constant(HASH),
  time: fc.oneof(
    fc.constantFrom(0, 1, 9, 10, NOW - 1, NOW, Number.MAX_SAFE_INTEGER),
    fc.maxSafeNat(),
  ),
  id: fc.oneof(fc.constantFrom(ID, ID.replace(/1$/, "2"), ID.replace(/1$/, "a")), fc.uuid()),
  isRemoved: fc.boolean(),
}).map(newestName);

/** A name as a store lists it, written at about the time that it tells. */
const listed: fc.Arbitrary<DatedNewest> = fc.record({
  name,
  ahead: fc.option(fc.integer({ min: -2 * DAY, max: 2 * DAY }), { nil: undefined }),
}).map(({ name, ahead }) => ({
  ...name,
  size: 1,
  lastModified: ahead === undefined ? undefined : name.time - ahead,
}));

Deno.test("a key of newest/ tells the hash, the time, the id, and whether the feed is gone", () => {
  const parts = { hash: HASH, time: NOW, id: ID };
  const content = newestName({ ...parts, isRemoved: false });
  assert.equal(content.key, `newest/${HASH}/0001767225600000.${ID}`);
  const tombstone = newestName({ ...parts, isRemoved: true });
  assert.equal(tombstone.key, `newest/${HASH}/0001767225600000.${ID}.removed`);
  fc.assert(fc.property(name, (name) => assert.deepEqual(parseNewestKey(name.key), name)));
});

Deno.test("keys of a group sort as its updates do: by time, then by id", () => {
  const either = name.chain((a) =>
    fc.tuple(fc.constant(a), fc.oneof(name, fc.constant(newestName({ ...a, isRemoved: true }))))
  );
  fc.assert(fc.property(either, ([a, b]) => {
    const order = a.key < b.key ? -1 : Number(a.key > b.key);
    assert.equal(Math.sign(compareNewest(a, b)), order);
    if (a.time !== b.time) assert.equal(order, Math.sign(a.time - b.time));
    else if (a.id !== b.id) assert.equal(order, a.id < b.id ? -1 : 1);
  }));
});

Deno.test("every other key in newest/ is foreign", () => {
  const time = "0001767225600000";
  const foreign = [
    "newest/",
    `newest/${HASH}`,
    `newest/${HASH}/`,
    `newest/${HASH.toUpperCase()}/${time}.${ID}`,
    `newest/${HASH.slice(1)}/${time}.${ID}`,
    `newest/${HASH}0/${time}.${ID}`,
    `newest/${HASH}/1767225600000.${ID}`, // not padded
    `newest/${HASH}/9007199254740992.${ID}`, // beyond 2^53 - 1
    `newest/${HASH}/-001767225600000.${ID}`,
    `newest/${HASH}/${time}.${ID.toUpperCase().replaceAll("0", "A")}`,
    `newest/${HASH}/${time}.${ID}.`,
    `newest/${HASH}/${time}.${ID}.removed.removed`,
    `newest/${HASH}/${time}.${ID}.tmp`,
    `newest/${HASH}/${time}.${ID}\n`,
    `other/${HASH}/${time}.${ID}`,
    `x/newest/${HASH}/${time}.${ID}`,
  ];
  for (const key of foreign) assert.equal(parseNewestKey(key), undefined, key);
});

Deno.test("no key is made for a time that it cannot hold", () => {
  for (const time of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    const parts = { hash: HASH, time, id: ID, isRemoved: false };
    assert.throws(() => newestName(parts), new RegExp(`RangeError: .*not ${time}`));
  }
});

Deno.test("the newest of a group is the same in whatever order it is listed, and however often", () => {
  fc.assert(fc.property(fc.array(listed, { maxLength: 6 }), fc.nat(), (names, turn) => {
    const turned = [...names.slice(turn % 6), ...names, ...names.slice(0, turn % 6)].reverse();
    const greatest = greatestOf(names, NOW);
    assert.equal(greatestOf(turned, NOW)?.key, greatest?.key);
    const counted = names.filter(({ time, lastModified }) =>
      isPlausible(time, lastModified ?? NOW)
    );
    assert.equal(greatest === undefined, counted.length === 0);
    for (const name of counted) assert.ok(compareNewest(name, greatest!) <= 0);
  }));
});

Deno.test("a key more than a day ahead of its writing, or of now without that, is not the newest", () => {
  const at = (time: number, lastModified?: number) => ({
    ...newestName({ hash: HASH, time, id: ID, isRemoved: false }),
    size: 1,
    lastModified,
  });
  const honest = at(NOW - 1, NOW);
  assert.equal(greatestOf([honest, at(NOW + DAY, NOW)], NOW + 9 * DAY)?.time, NOW + DAY);
  assert.equal(greatestOf([honest, at(NOW + DAY + 1, NOW)], NOW + 9 * DAY), honest);
  assert.equal(greatestOf([honest, at(NOW + DAY)], NOW)?.time, NOW + DAY);
  assert.equal(greatestOf([honest, at(NOW + DAY + 1)], NOW), honest);
  assert.equal(greatestOf([at(NOW + 2 * DAY, NOW)], NOW + 9 * DAY), undefined);
  assert.equal(greatestOf([], NOW), undefined);
});
