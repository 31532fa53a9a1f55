import type { Random } from "../../lib/base/environment.ts";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Seeded chance: the same seed gives the same run. The generator is sfc32. */
export class Chance implements Random {
  #a = 0x9e3779b9;
  #b = 0x243f6a88;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#c = seed | 0;
    for (let i = 0; i < 12; i++) this.#next();
  }

  fraction(): number {
    return (this.#next() >>> 0) / 2 ** 32;
  }

  uuid(): string {
    const words = [this.#next(), this.#next(), this.#next(), this.#next()];
    const hex = words.map((word) =>
      HEX[word >>> 24] + HEX[word >>> 16 & 255] + HEX[word >>> 8 & 255] + HEX[word & 255]
    ).join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${
      hex.slice(20)
    }`;
  }

  token(): string {
    let token = "";
    for (let i = 0; i < 8; i++) token += BASE32[this.#next() & 31];
    return token;
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return probability > 0 && this.fraction() < probability;
  }

  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** A number from `least` up to `most`. */
  between(least: number, most: number): number {
    return least + this.fraction() * (most - least);
  }

  /** One of them. */
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.fraction() * items.length)];
  }

  /** One of the names, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    let left = this.fraction() * names.reduce((sum, name) => sum + weights[name], 0);
    return names.find((name) => (left -= weights[name]) < 0) ?? names[0];
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum;
  }
}
