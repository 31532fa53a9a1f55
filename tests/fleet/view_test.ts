import assert from "node:assert/strict";
import { membersOf, seenServers } from "../../lib/fleet/view.ts";
import { type DatedPresence, type PresenceName, presenceName } from "../../lib/log/fleet/names.ts";
import type { SeenServer } from "../../lib/state/fleet.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z"), MINUTE = 60_000;

function presence(server: string, parts: Partial<PresenceName> = {}): PresenceName {
  const stream = `${server}_abcdefgh`;
  return presenceName({
    stream,
    writer: "aaaaaaaa",
    interval: 60,
    weight: 1,
    list: undefined,
    ...parts,
  });
}

function dated(name: PresenceName, ageMs: number): DatedPresence {
  return { ...name, size: 100, lastModified: NOW - ageMs };
}

const own = presence("web-1");

function look(listing: readonly DatedPresence[], options: {
  readonly previous?: readonly SeenServer[];
  readonly isReliable?: boolean;
  readonly now?: number;
} = {}): SeenServer[] {
  const { previous, isReliable = true, now = NOW } = options;
  return seenServers([dated(own, 0), ...listing], { own, now, previous, isReliable });
}

const names = (servers: readonly SeenServer[]) => servers.map(({ server }) => server).sort();

Deno.test("a server is gone when its presence is more than three of its intervals old", () => {
  assert.deepEqual(names(look([dated(presence("web-2"), 3 * MINUTE)])), ["web-1", "web-2"]);
  assert.deepEqual(names(look([dated(presence("web-2"), 3 * MINUTE + 1)])), ["web-1"]);
  const slow = presence("web-2", { interval: 300 });
  assert.deepEqual(names(look([dated(slow, 15 * MINUTE)])), ["web-1", "web-2"]);
});

Deno.test("ages are told by the own presence in the listing, whatever the clock says", () => {
  for (const error of [-30 * MINUTE, 30 * MINUTE]) {
    const options = { now: NOW + error };
    assert.deepEqual(names(look([dated(presence("web-2"), MINUTE)], options)), ["web-1", "web-2"]);
    assert.deepEqual(names(look([dated(presence("web-2"), 4 * MINUTE)], options)), ["web-1"]);
  }
});

Deno.test("nobody leaves until the own presence was written in each of the last three intervals", () => {
  const old = dated(presence("web-2"), 20 * MINUTE);
  assert.deepEqual(names(look([old], { isReliable: false })), ["web-1", "web-2"]);
  const previous = look([dated(presence("web-2"), 0)]);
  assert.deepEqual(names(look([old], { isReliable: false, previous })), ["web-1", "web-2"]);
  const veryOld = dated(presence("web-2"), 25 * 60 * MINUTE);
  assert.deepEqual(names(look([veryOld], { isReliable: false, previous })), ["web-1"]);
});

Deno.test("who is gone does not return because the own presence was not written for a while", () => {
  const old = dated(presence("web-2"), 20 * MINUTE);
  const previous = look([old]);
  assert.deepEqual(names(look([old], { isReliable: false, previous })), ["web-1"]);
  const alive = dated(presence("web-2"), MINUTE);
  assert.deepEqual(names(look([alive], { isReliable: false, previous })), ["web-1", "web-2"]);
});

Deno.test("a server that one listing does not show is gone only if the next one agrees", () => {
  const first = look([dated(presence("web-2"), 0)]);
  const second = look([], { previous: first });
  assert.deepEqual(names(second), ["web-1", "web-2"]);
  assert.deepEqual(names(look([], { previous: second })), ["web-1"]);
  const back = look([dated(presence("web-2"), 0)], { previous: second });
  assert.deepEqual(names(look([], { previous: back })), ["web-1", "web-2"]);
});

Deno.test("of the keys of one process the newest counts", () => {
  const list = "a".repeat(32), before = presence("web-2"), after = presence("web-2", { list });
  for (const [first, second] of [[0, MINUTE], [MINUTE, 0]]) {
    const seen = look([dated(before, first), dated(after, second)]);
    assert.equal(seen.find(({ server }) => server === "web-2")!.list, first ? list : undefined);
  }
});

Deno.test("an own presence that the listing does not show yet is there", () => {
  const listing = [dated(presence("web-2"), 0)];
  const seen = seenServers(listing, { own, now: NOW, previous: [], isReliable: true });
  assert.deepEqual(names(seen), ["web-1", "web-2"]);
});

Deno.test("a presence whose age the store does not tell is there", () => {
  const undated = { ...presence("web-2"), size: 1, lastModified: undefined };
  assert.deepEqual(names(look([undated])), ["web-1", "web-2"]);
});

Deno.test("of servers with one name that with the lesser stream takes part", () => {
  const lesser = presence("web-1", { stream: "web-1_aaaaaaaa", writer: "bbbbbbbb" });
  const seen = look([dated(lesser, 0), dated(presence("web-2"), 0)]);
  assert.deepEqual(
    membersOf(seen, own).map(({ stream, isOwn }) => [stream, isOwn]),
    [["web-1_aaaaaaaa", false], ["web-2_abcdefgh", false]],
  );
  assert.deepEqual(membersOf(seen, lesser).map(({ isOwn }) => isOwn), [true, false]);
});

Deno.test("a process that begins another stream does not wait for itself", () => {
  const former = presence("web-1", { stream: "web-1_aaaaaaaa" });
  const seen = look([dated(former, 0), dated(presence("web-2"), 0)]);
  assert.deepEqual(
    membersOf(seen, own).map(({ stream, isOwn }) => [stream, isOwn]),
    [["web-1_abcdefgh", true], ["web-2_abcdefgh", false]],
  );
});

Deno.test("of servers with one name one that takes turns takes part, if any does", () => {
  const list = "a".repeat(32), taking = presence("web-1", { list });
  const parts = { stream: "web-1_aaaaaaaa", writer: "bbbbbbbb", interval: 300 };
  const former = presence("web-1", parts);
  const servers = [former, taking].map((name) => ({ ...name, missed: 0 }));
  for (const listed of [servers, servers.toReversed()]) {
    const members = membersOf(listed, taking);
    assert.deepEqual(members.map(({ stream, isOwn }) => [stream, isOwn]), [[own.stream, true]]);
  }
});

Deno.test("a presence whose time is more than a day ahead counts for nothing", () => {
  const ahead = (ms: number) => names(look([dated(presence("web-2"), -ms)]));
  assert.deepEqual(ahead(23 * 60 * MINUTE), ["web-1", "web-2"]);
  assert.deepEqual(ahead(25 * 60 * MINUTE), ["web-1"]);
});

Deno.test("of a hundred thousand servers those are followed that were seen before", () => {
  const before = look([dated(presence("web-2"), 0), dated(presence("web-3"), 0)]);
  const invented = Array.from(
    { length: 100_000 },
    (_, index) => dated(presence(`a-${index}`), 0),
  );
  const seen = look([...invented, dated(presence("web-2"), 0)], { previous: before });
  assert.equal(seen.length, 2000);
  for (const name of ["web-1", "web-2", "web-3"]) assert.ok(names(seen).includes(name), name);
});
