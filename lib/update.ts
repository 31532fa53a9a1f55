/**
 * Updates: what is published, and what arrives.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  /** Its members. */
  [key: string]: Json;
}

/** What {@linkcode publish} takes. */
export interface UpdateInput {
  /** Absolute URL of the feed; identifies it on all servers. */
  readonly url: string;
  /** The feed: text, parsed content, or bytes that are not UTF-8 text. Absent when `removed`. */
  readonly content?: Json | Uint8Array;
  /** Anything about the update. */
  readonly metadata?: JsonObject;
  /** The feed is gone. */
  readonly removed?: true;
}

/** What plugins and callbacks receive. */
export interface Update {
  /** UUID of the update: the same however often it is delivered. */
  readonly id: string;
  /** URL of the feed. */
  readonly url: string;
  /** The feed as it was published; `undefined` when `removed`. */
  readonly content: Json | Uint8Array | undefined;
  /** As it was published; `{}` when there was none. */
  readonly metadata: JsonObject;
  /** Name of the server that published it. */
  readonly server: string;
  /** When it was published, ISO 8601 with milliseconds, UTC, by the store's clock. */
  readonly time: string;
  /** The stream it belongs to, `<server>_<8 characters>`. */
  readonly stream: string;
  /** Its position in the stream, from 1. */
  readonly seq: number;
  /** A newer update of the same URL is known already: do not let this one overwrite it. */
  readonly superseded: boolean;
  /** The feed is gone. */
  readonly removed?: true;
}

/** Updates that expired, or were destroyed, before this server saw them. */
export interface Gap {
  /** The stream with the gap. */
  readonly stream: string;
  /** First missing seq. */
  readonly first: number;
  /** Last missing seq. */
  readonly last: number;
}

/**
 * The stable JSON form of an update, as `--json` prints it and `webhook` and `exec` send it: bytes
 * as base64 with `"encoding": "base64"`, `"removed": true` in place of content.
 */
export function updateToJson(update: Update): JsonObject {
  const { id, url, metadata, server, time, stream, seq, superseded } = update;
  return { id, url, ...contentToJson(update), metadata, server, time, stream, seq, superseded };
}

/** The members that carry the content, on the wire and in `--json` alike. */
export function contentToJson(
  { content, removed }: { content?: Json | Uint8Array; removed?: true },
): JsonObject {
  if (removed) return { removed: true };
  if (content instanceof Uint8Array) return { content: content.toBase64(), encoding: "base64" };
  return { content: content as Json };
}

/**
 * The bytes that a file with this content holds, undefined when it is gone: text and bytes as they
 * are, parsed content as indented JSON. Decides, too, whether two contents are the same.
 */
export function contentBytes(
  { content, removed }: { content?: Json | Uint8Array; removed?: true },
): Uint8Array | undefined {
  if (removed) return undefined;
  if (content instanceof Uint8Array) return content;
  const text = typeof content === "string" ? content : JSON.stringify(content, null, 2) + "\n";
  return new TextEncoder().encode(text);
}

/** SHA-256 of content, base64: tells whether two contents are the same. */
export function contentHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}
