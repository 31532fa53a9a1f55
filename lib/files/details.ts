/**
 * What a program writes into the `.feed.json` beside a feed file, and how it knows its own hand again.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import type { JsonObject, Update } from "../update.ts";
import type { Origin } from "./decide.ts";

/**
 * The text of the `.feed.json` for an update whose content has this hash. It is written before the
 * content, and tells until then what that takes the place of.
 */
export function detailsOf(
  { url, metadata, id, server, time }: Update,
  hash: string,
  replaces?: Origin["replaces"],
): string {
  const members = { url, metadata, id, server, time, sha256: toHex(hash) };
  if (!replaces) return sealed(members);
  const former = new Date(replaces.time).toISOString();
  return sealed({ ...members, replaces: { time: former, sha256: toHex(replaces.hash) } });
}

/** What a `.feed.json` says was written to the file; undefined when a person made it. */
export function originOf(details: JsonObject): Origin | undefined {
  const { id, replaces } = details;
  const version = typeof id === "string" ? versionOf(details) : undefined;
  if (!version?.hash) return version;
  const replaced = isObject(replaces) ? versionOf(replaces) : undefined;
  return replaced?.hash ? { ...version, replaces: { ...replaced, hash: replaced.hash } } : version;
}

function versionOf({ time, sha256 }: JsonObject): { time: number; hash?: string } | undefined {
  const published = typeof time === "string" ? Date.parse(time) : NaN;
  if (Number.isNaN(published)) return undefined;
  return { time: published, ...typeof sha256 === "string" && { hash: fromHex(sha256) } };
}

function toHex(hash: string): string {
  return Buffer.from(hash, "base64").toString("hex");
}

function fromHex(sha256: string): string {
  return Buffer.from(sha256, "hex").toString("base64");
}

/**
 * Whether the text is one of ours, unchanged, or says no more than whose feed it is: then nothing is lost
 * when it is replaced.
 */
export function isReplaceable(text: string): boolean {
  const value = parse(text);
  if (value === undefined) return false;
  if (Object.keys(value).every((key) => key === "url")) return true;
  const { url, metadata, id, server, time, seal, ...rest } = value;
  if (seal !== undefined) return sealed({ url, metadata, id, server, time, ...rest }) === text;
  // As 0.1 wrote it.
  return format({ url, metadata, id, server, time }) === text;
}

/** The last member tells whether anything before it was changed by hand. */
function sealed(members: JsonObject): string {
  const seal = createHash("sha256").update(JSON.stringify(members)).digest("hex").slice(0, 16);
  return format({ ...members, seal });
}

function format(members: JsonObject): string {
  return JSON.stringify(members, null, 2) + "\n";
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
