/**
 * Weighted rendezvous hashing: which of several servers a key belongs to. When a server joins or
 * leaves, only the keys that it gets or had change their owner.
 *
 * See https://en.wikipedia.org/wiki/Rendezvous_hashing#Weighted_rendezvous_hash
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Two 32-bit words. */
export interface Seed {
  readonly high: number;
  readonly low: number;
}

/** The seed of a server: the first eight bytes of SHA-256 of its name. */
export function seedOfName(name: string): Seed {
  return seedOfHash(createHash("sha256").update(name).digest("hex"));
}

/** The seed of a key: the first eight bytes of its hash, which is given in hex. */
export function seedOfHash(hash: string): Seed {
  return {
    high: parseInt(hash.slice(0, 8), 16) | 0,
    low: parseInt(hash.slice(8, 16), 16) | 0,
  };
}

/** The score of a server for a key; the greatest one wins, and of equal ones the lesser name. */
export function scoreOf(server: Seed, weight: number, key: Seed): number {
  const low = mixed(server.high ^ key.high);
  const high = mixed(server.low ^ key.low ^ low);
  const uniform = ((high >>> 0) * 2 ** 20 + (low >>> 12) + 0.5) / 2 ** 52;
  return -weight / Math.log(uniform);
}

/** The finalizer of MurmurHash3: each bit of the word changes each bit of the result. */
function mixed(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
