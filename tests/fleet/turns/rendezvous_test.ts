import assert from "node:assert/strict";
import { scoreOf, seedOfHash, seedOfName } from "../../../lib/fleet/turns/rendezvous.ts";

const KEYS = Array.from({ length: 20_000 }, (_, index) => seedOfName(`key-${index}`));

function counts(weights: Readonly<Record<string, number>>): Map<string, string> {
  const owners = new Map<string, string>();
  const servers = Object.entries(weights)
    .map(([name, weight]) => ({ name, weight, seed: seedOfName(name) }));
  for (const [index, key] of KEYS.entries()) {
    const scores = servers.map(({ name, weight, seed }) => ({
      name,
      score: scoreOf(seed, weight, key),
    }));
    owners.set(String(index), scores.reduce((a, b) => b.score > a.score ? b : a).name);
  }
  return owners;
}

function shareOf(owners: Map<string, string>, name: string): number {
  return [...owners.values()].filter((owner) => owner === name).length / KEYS.length;
}

Deno.test("scores are what the protocol says", () => {
  const server = seedOfName("web-1"), key = seedOfHash("0123456789abcdef0123456789abcdef");
  assert.deepEqual(key, { high: 0x01234567, low: 0x89abcdef | 0 });
  assert.deepEqual(server, { high: 0xc4719afa | 0, low: 0x76fa448b });
  assert.equal(scoreOf(server, 1, key).toFixed(12), "0.922128802429");
  assert.equal(scoreOf(server, 3, key), 3 * scoreOf(server, 1, key));
});

Deno.test("servers get as many keys as their weights say", () => {
  const owners = counts({ "web-1": 1, "web-2": 1, "web-3": 2 });
  assert.ok(Math.abs(shareOf(owners, "web-1") - 0.25) < 0.01);
  assert.ok(Math.abs(shareOf(owners, "web-2") - 0.25) < 0.01);
  assert.ok(Math.abs(shareOf(owners, "web-3") - 0.5) < 0.01);
});

Deno.test("only the keys of a server that leaves change their owner", () => {
  const before = counts({ "web-1": 1, "web-2": 1, "web-3": 1 });
  const after = counts({ "web-1": 1, "web-2": 1 });
  for (const [key, owner] of before) {
    if (owner !== "web-3") assert.equal(after.get(key), owner);
  }
});
