/**
 * What is published in benchmarks.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { UpdateInput } from "@feedsync/feedsync";

let count = 0;

/** An update of 1 KB: random text, so that it does not compress away, of a feed of its own. */
export function sampleUpdate(): UpdateInput {
  return {
    url: `https://feeds.example.com/${++count}/feed.xml`,
    content: randomText(1024),
    metadata: { etag: String(count) },
  };
}

/** So many of them. */
export function samples(length: number): UpdateInput[] {
  return Array.from({ length }, sampleUpdate);
}

/** Random text of so many characters. */
export function randomText(length: number): string {
  return randomBytes(Math.ceil(length * 3 / 4)).toString("base64url").slice(0, length);
}
