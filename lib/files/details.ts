/**
 * The `.feed.json` that feedsync writes beside a feed file, and how it recognizes its own.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import type { JsonObject, Update } from "../update.ts";
import type { Origin } from "./decide.ts";

/** The text of the `.feed.json` for an update whose content has this hash. */
export function detailsOf(
  { url, metadata, id, server, time }: Update,
  hash: string,
): string {
  const sha256 = Buffer.from(hash, "base64").toString("hex");
  return withChecksum({ url, metadata, id, server, time, sha256 });
}

/** What a `.feed.json` says was written to the file; undefined when a person made it. */
export function originOf({ id, time, sha256 }: JsonObject): Origin | undefined {
  if (typeof id !== "string" || typeof time !== "string") return undefined;
  const published = Date.parse(time);
  if (Number.isNaN(published)) return undefined;
  if (typeof sha256 !== "string") return { time: published };
  return { time: published, hash: Buffer.from(sha256, "hex").toString("base64") };
}

/**
 * Whether nothing is lost when the text is replaced: feedsync wrote it and nobody changed it, or it has
 * nothing but the URL.
 */
export function isReplaceable(text: string): boolean {
  const value = parse(text);
  if (value === undefined) return false;
  if (Object.keys(value).every((key) => key === "url")) return true;
  const { url, metadata, id, server, time, seal, ...rest } = value;
  if (seal !== undefined) {
    return withChecksum({ url, metadata, id, server, time, ...rest }) === text;
  }
  // As 0.1 wrote it.
  return format({ url, metadata, id, server, time }) === text;
}

/** Adds a checksum as the last member, which shows whether the text was changed by hand. */
function withChecksum(members: JsonObject): string {
  const seal = createHash("sha256").update(JSON.stringify(members)).digest("hex").slice(0, 16);
  return format({ ...members, seal });
}

function format(members: JsonObject): string {
  return JSON.stringify(members, null, 2) + "\n";
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as JsonObject : undefined;
  } catch {
    return undefined;
  }
}
