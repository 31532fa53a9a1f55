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

/**
 * What can be published as JSON: values of {@linkcode Json}, also when they are read-only or typed by
 * interfaces. Members that are `undefined` are left out, as `JSON.stringify` does. Refused is what JSON
 * would change in silence: `undefined` in arrays, `NaN`, dates, maps, functions, instances of classes.
 */
export type JsonInput =
  | null
  | boolean
  | number
  | string
  | readonly JsonInput[]
  | { readonly [key: string]: unknown }
  | PlainObject;

/**
 * An object that may be typed by an interface. It is no function, array, date, map or the like: these
 * have the members that are forbidden here. What is wrong further inside `publish` tells.
 */
export type PlainObject = object & {
  /** Functions have it. */
  readonly apply?: never;
  /** Dates and URLs have it. */
  readonly toJSON?: never;
  /** Arrays and sets have it. */
  readonly [Symbol.iterator]?: never;
  /** Promises, buffers and the like have it. */
  readonly [Symbol.toStringTag]?: never;
};

/** What {@linkcode publish} takes. */
export interface UpdateInput {
  /** URL of the feed; identifies it on all servers as {@linkcode normalizeFeedUrl} returns it. */
  readonly url: string | URL;
  /** The feed: text, parsed content, or bytes that are not UTF-8 text. Absent when `removed`. */
  readonly content?: JsonInput | Uint8Array | undefined;
  /** Anything about the update; members that are `undefined` are left out. */
  readonly metadata?: { readonly [key: string]: unknown } | PlainObject | undefined;
  /** The feed is gone. @default false */
  readonly removed?: boolean | undefined;
}

/** What plugins and callbacks receive: new content of a feed, or that it is gone. */
export type Update = ContentUpdate | RemovalUpdate;

/** A feed has this content now. */
export interface ContentUpdate extends UpdateBase {
  /** The feed as it was published. */
  readonly content: Json | Uint8Array;
  /** Set in a {@linkcode RemovalUpdate} only. */
  readonly removed?: undefined;
}

/** A feed is gone. */
export interface RemovalUpdate extends UpdateBase {
  /** There is none. */
  readonly content?: undefined;
  /** The feed is gone. */
  readonly removed: true;
}

/** What all updates have. */
export interface UpdateBase {
  /** UUID of the update: the same however often it is delivered. */
  readonly id: string;
  /** URL of the feed. */
  readonly url: string;
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
  /**
   * Set when the update comes from what the bucket keeps for good, and not in its turn from the log: this
   * server is new, was away, or somebody asked for it. It may have come before, and what was published
   * before it may follow, as `superseded`.
   */
  readonly restored?: true | undefined;
}

/** The content of an update, or that it is gone. */
export interface FeedContent {
  /** Absent when `removed`. */
  readonly content?: Json | Uint8Array | undefined;
  /** The feed is gone. */
  readonly removed?: boolean | undefined;
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
 * as base64 with `"encoding": "base64"`, `"removed": true` in place of content, and `"restored": true`
 * only where it is so.
 */
export function updateToJson(update: Update): JsonObject {
  const { id, url, metadata, server, time, stream, seq, superseded, restored } = update;
  return {
    ...{ id, url, ...contentToJson(update), metadata, server, time, stream, seq, superseded },
    ...restored && { restored },
  };
}

/** The update that {@linkcode updateToJson} was given. */
export function updateFromJson(json: JsonObject): Update {
  const { content, encoding, ...rest } = json;
  const bytes = encoding === "base64" ? Uint8Array.fromBase64(content as string) : content;
  return { ...rest, content: bytes } as unknown as Update;
}

/** The members that carry the content, on the wire and in `--json` alike. */
export function contentToJson(
  { content, removed }: FeedContent,
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
  update: FeedContent,
): Uint8Array | undefined {
  const data = fileData(update);
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}

/** Text when the bytes are UTF-8, a byte order mark included; else the bytes themselves. */
export function contentFromBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

/** The hash of what {@linkcode contentBytes} returns; null when the feed is gone. */
export function hashOf(update: FeedContent): string | null {
  const data = fileData(update);
  return data === undefined ? null : contentHash(data);
}

/** SHA-256 of content, base64: tells whether two contents are the same. Text is hashed as UTF-8. */
export function contentHash(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("base64");
}

function fileData(
  { content, removed }: FeedContent,
): string | Uint8Array | undefined {
  if (removed) return undefined;
  if (content instanceof Uint8Array || typeof content === "string") return content;
  return JSON.stringify(content, null, 2) + "\n";
}
