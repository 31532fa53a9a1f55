import assert from "node:assert/strict";
import { Feed } from "../../../lib/fleet/turns/feed.ts";
import type { ListSummary } from "../../../lib/fleet/turns/foreign_lists.ts";
import { Ownership } from "../../../lib/fleet/turns/ownership.ts";
import { type Participant, participantsOf } from "../../../lib/fleet/turns/participants.ts";
import { scoreOf, seedOfHash, seedOfName } from "../../../lib/fleet/turns/rendezvous.ts";

const D1 = "1".repeat(32), D2 = "2".repeat(32);

function hashOf(text: string): string {
  const { high, low } = seedOfName(text);
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
  return (hex(high) + hex(low)).repeat(2);
}

function feedOf(name: string, domain: string, index: number): Feed {
  const none = { etag: null, lastModified: null, contentHash: null, publishedHash: null };
  return new Feed({
    ...none,
    ...{ url: name, feed: hashOf(name), host: hashOf(domain), domain: hashOf(domain) },
    ...{ domainName: domain, addedAt: 0, askedAt: 0, everyMs: 0, checkedAt: 0, notBefore: 0 },
    ...{ failures: 0, ttlMs: 0, leasedUntil: 0, isOwnContent: 0, publishedAt: 0 },
    ...{ takenFrom: null, takenAt: 0 },
  }, index);
}

/** A list of these feeds, as a server that tells domains apart by `domainOf` makes it. */
function listOf(
  feeds: readonly Feed[],
  { digest = D1, suffixes = "7.6.0", maxPerDomain = 100, domainOf = (feed: Feed) => feed.domain } =
    {},
): ListSummary & { digest: string } {
  const counts = new Map<string, number>();
  for (const feed of feeds) counts.set(domainOf(feed), (counts.get(domainOf(feed)) ?? 0) + 1);
  return {
    ...{ digest, suffixes, maxPerDomain, largeDomains: counts },
    domainOf: (feed) => feeds.includes(feed) ? domainOf(feed) : undefined,
  };
}

function server(name: string, { list = D1, weight = 1, isOwn = false } = {}): Participant {
  return { server: name, weight, list: isOwn ? "" : list, isOwn };
}

/** The owner by the rule alone. */
function bestOf(servers: readonly Participant[], key: string): string {
  const scored = servers.map((participant) => ({
    name: participant.server,
    score: scoreOf(seedOfName(participant.server), participant.weight, seedOfHash(key)),
  }));
  return scored.reduce((a, b) => b.score > a.score ? b : a).name;
}

function ownersOf(
  ownership: Ownership,
  feeds: readonly Feed[],
): (string | undefined)[] {
  return feeds.map((feed) => ownership.ownerOf(feed)?.server);
}

const FEEDS = Array.from({ length: 200 }, (_, i) => feedOf(`feed-${i}`, `site-${i % 70}.com`, i));

Deno.test("feeds of a domain belong to the server with the greatest score for it", () => {
  const ownership = new Ownership(), own = listOf(FEEDS);
  const servers = [
    server("web-1", { isOwn: true }),
    server("web-2"),
    server("web-3", { weight: 3 }),
  ];
  ownership.setLists({ feeds: FEEDS, own, lists: new Map() });
  ownership.setParticipants(servers);
  assert.deepEqual(ownersOf(ownership, FEEDS), FEEDS.map(({ domain }) => bestOf(servers, domain)));
});

Deno.test("owners after any number of changes are those that are decided at once", () => {
  const ownership = new Ownership(), own = listOf(FEEDS);
  ownership.setLists({ feeds: FEEDS, own, lists: new Map() });
  const present = new Map<string, Participant>([["web-0", server("web-0", { isOwn: true })]]);
  for (let step = 0; step < 300; step++) {
    const name = `web-${1 + (step * 7919) % 20}`;
    if (present.has(name) && step % 3 > 0) present.delete(name);
    else present.set(name, server(name, { weight: 1 + step % 4 }));
    const servers = [...present.values()];
    ownership.setParticipants(servers);
    assert.deepEqual(
      ownersOf(ownership, FEEDS),
      FEEDS.map(({ domain }) => bestOf(servers, domain)),
    );
  }
});

Deno.test("a feed belongs to a server whose list has it, and to this one if no other has", () => {
  const some = FEEDS.slice(0, 50), ownership = new Ownership();
  const lists = new Map([[D2, listOf(some, { digest: D2 })]]);
  ownership.setLists({ feeds: FEEDS, own: listOf(FEEDS), lists });
  const servers = [server("web-1", { isOwn: true }), server("web-2", { list: D2 })];
  ownership.setParticipants([...servers, server("web-3", { list: "unreadable" })]);
  for (const feed of FEEDS) {
    const owner = some.includes(feed) ? bestOf(servers, feed.domain) : "web-1";
    assert.equal(ownership.ownerOf(feed)?.server, owner);
    const other = some.includes(feed) ? "web-2" : undefined;
    assert.equal(ownership.nextOwnersOf(feed, 3)[0]?.server, other);
  }
});

Deno.test("a domain with more feeds than any list wants together is shared by all", () => {
  const domain = FEEDS.map((_, i) => feedOf(`large-${i}`, "large.com", i)), most = domain.length;
  const servers = [server("web-1", { isOwn: true }), server("web-2"), server("web-3")];
  const sharesWith = (own: ListSummary & { digest: string }, lists = new Map()) => {
    const ownership = new Ownership();
    ownership.setLists({ feeds: domain, own, lists });
    ownership.setParticipants(servers);
    return ownersOf(ownership, domain);
  };
  const together = sharesWith(listOf(domain, { maxPerDomain: most }));
  assert.equal(new Set(together).size, 1);
  const shared = domain.map(({ feed }) => bestOf(servers, feed));
  assert.deepEqual(sharesWith(listOf(domain, { maxPerDomain: most - 1 })), shared);
  const small = listOf([], { digest: D2, maxPerDomain: 5 });
  const own = listOf(domain, { maxPerDomain: most });
  assert.deepEqual(sharesWith(own, new Map([[D2, small]])), shared, "the least number counts");
});

Deno.test("the oldest list of suffixes tells domains apart, so that an upgrade splits no owners", () => {
  const older = (feed: Feed) => hashOf(`old ${feed.index % 10}`);
  const servers = [server("web-1", { isOwn: true }), server("web-2", { list: D2 })];
  const seenBy = (own: ListSummary & { digest: string }, other: ListSummary) => {
    const ownership = new Ownership();
    ownership.setLists({ feeds: FEEDS, own, lists: new Map([[D2, other]]) });
    ownership.setParticipants(servers);
    return ownersOf(ownership, FEEDS);
  };
  const expected = FEEDS.map((feed) => bestOf(servers, older(feed)));
  const oldList = { suffixes: "7.5.9", domainOf: older };
  assert.deepEqual(seenBy(listOf(FEEDS), listOf(FEEDS, { digest: D2, ...oldList })), expected);
  assert.deepEqual(seenBy(listOf(FEEDS, oldList), listOf(FEEDS, { digest: D2 })), expected);
  const nonsense = { suffixes: "very old", domainOf: older, digest: D2 };
  const regular = FEEDS.map(({ domain }) => bestOf(servers, domain));
  assert.deepEqual(seenBy(listOf(FEEDS), listOf(FEEDS, nonsense)), regular);
});

Deno.test("this server takes part, unless another one has its name", () => {
  const member = (name: string, rest = {}) => ({
    ...{ server: name, stream: `${name}_aaaaaaaa`, writer: "aaaaaaaa", weight: 2, list: D1 },
    ...{ isOwn: false, ...rest },
  });
  const self = { server: "web-1", weight: 5 };
  assert.deepEqual(participantsOf([member("web-2"), member("web-3", { list: undefined })], self), [
    server("web-2", { weight: 2 }),
    server("web-1", { weight: 5, isOwn: true }),
  ]);
  assert.deepEqual(participantsOf([member("web-1", { isOwn: true, list: undefined })], self), [
    server("web-1", { weight: 2, isOwn: true }),
  ]);
  assert.deepEqual(participantsOf([member("web-1")], self), [server("web-1", { weight: 2 })]);
});
