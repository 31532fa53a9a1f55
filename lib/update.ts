/**
 * Updates: their form when published and when received.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  /** The members. */
  [key: string]: Json;
}

/**
 * A value that can be published as JSON: like {@linkcode Json}, but also read-only or typed by an
 * interface. Members that are `undefined` are left out, as by `JSON.stringify`. Values that JSON
 * would change silently are refused: `undefined` in arrays, `NaN`, dates, maps, functions,
 * instances of classes.
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
 * An object that may be typed by an interface, but not a function, array, date, map or similar,
 * which have the members that are forbidden here. `publish` checks nested values.
 */
export type PlainObject = object & {
  /** Member of functions. */
  readonly apply?: never;
  /** Member of dates and URLs. */
  readonly toJSON?: never;
  /** Member of arrays and sets. */
  readonly [Symbol.iterator]?: never;
  /** Member of promises, buffers and others. */
  readonly [Symbol.toStringTag]?: never;
};

/** An update to {@linkcode publish}. */
export interface UpdateInput {
  /**
   * URL of the feed; {@linkcode normalizeFeedUrl} makes the form that identifies it on all servers.
   */
  readonly url: string | URL;
  /**
   * Content of the feed: text, parsed content, or bytes that are not UTF-8 text. Absent when
   * `removed`.
   */
  readonly content?: JsonInput | Uint8Array | undefined;
  /** Metadata of the update; members that are `undefined` are left out. */
  readonly metadata?: { readonly [key: string]: unknown } | PlainObject | undefined;
  /** Whether the feed is gone. @default false */
  readonly removed?: boolean | undefined;
  /**
   * A name that the publisher gives the update, 1 to 255 characters of ASCII. It is remembered for a
   * day in the state: to publish the same again returns the same receipt, and publishes nothing.
   */
  readonly id?: string | undefined;
}

/** An update as plugins and callbacks receive it: new content of a feed, or its removal. */
export type Update = ContentUpdate | RemovalUpdate;

/** An update with new content of a feed. */
export interface ContentUpdate extends UpdateBase {
  /** The feed as it was published. */
  readonly content: Json | Uint8Array;
  /** Only set in a {@linkcode RemovalUpdate}. */
  readonly removed?: undefined;
}

/** An update that says that a feed is gone. */
export interface RemovalUpdate extends UpdateBase {
  /** A removal has no content. */
  readonly content?: undefined;
  /** The feed is gone. */
  readonly removed: true;
}

/** The members of all updates. */
export interface UpdateBase {
  /** UUID of the update, the same at every delivery. */
  readonly id: string;
  /** URL of the feed. */
  readonly url: string;
  /** Metadata as published; `{}` by default. */
  readonly metadata: JsonObject;
  /** Name of the server that published it. */
  readonly server: string;
  /** When it was published, by the store's clock: ISO 8601 with milliseconds, UTC. */
  readonly time: string;
  /** The stream it belongs to, `<server>_<8 characters>`. */
  readonly stream: string;
  /** Position in the stream, from 1. */
  readonly seq: number;
  /** Whether a newer update of the same URL is known, which this one must not overwrite. */
  readonly superseded: boolean;
  /**
   * Set when the update is restored: delivered from the newest updates, which the bucket keeps
   * permanently, instead of in order from the log. This server is new, was away, or was asked to
   * restore. The update may have been delivered before, and older ones may follow as `superseded`.
   */
  readonly restored?: true | undefined;
}

/** The content of an update, or its removal. */
export interface FeedContent {
  /** Content of the feed; absent when `removed`. */
  readonly content?: Json | Uint8Array | undefined;
  /** Whether the feed is gone. */
  readonly removed?: boolean | undefined;
}

/** A range of updates that expired or were destroyed before this server read them. */
export interface Gap {
  /** The stream with the gap. */
  readonly stream: string;
  /** First missing seq. */
  readonly first: number;
  /** Last missing seq. */
  readonly last: number;
}

/**
 * Converts an update to its stable JSON form, as `--json` prints it and `webhook` and `exec` send
 * it: with bytes in base64 and `"encoding": "base64"`, or `"removed": true` instead of content.
 */
export function updateToJson(update: Update): JsonObject {
  const { id, url, metadata, server, time, stream, seq, superseded, restored } = update;
  return {
    ...{ id, url, ...contentToJson(update), metadata, server, time, stream, seq, superseded },
    ...restored && { restored },
  };
}

/** Converts the JSON form of {@linkcode updateToJson} back to an update. */
export function updateFromJson(json: JsonObject): Update {
  const { content, encoding, ...rest } = json;
  const bytes = encoding === "base64" ? Uint8Array.fromBase64(content as string) : content;
  return { ...rest, content: bytes } as unknown as Update;
}

/** The members for the content in JSON, as stored and as `--json` prints them. */
export function contentToJson(
  { content, removed }: FeedContent,
): JsonObject {
  if (removed) return { removed: true };
  if (content instanceof Uint8Array) return { content: content.toBase64(), encoding: "base64" };
  return { content: content as Json };
}

/**
 * The bytes of a file with this content; undefined when the feed is gone. Text and bytes are
 * unchanged, parsed content is indented JSON. Two contents are the same if these bytes are.
 */
export function contentBytes(
  update: FeedContent,
): Uint8Array | undefined {
  const data = fileData(update);
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}

/**
 * Converts bytes to text if they are UTF-8, including a byte order mark; else returns the bytes.
 */
export function contentFromBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

/** The hash of the bytes from {@linkcode contentBytes}; null when the feed is gone. */
export function hashOf(update: FeedContent): string | null {
  const data = fileData(update);
  return data === undefined ? null : contentHash(data);
}

/** The bytes of the digest that is being made. */
const DIGEST = new Uint8Array(32);

/** SHA-256 of content in base64, for comparing contents. Text is hashed as UTF-8. */
export function contentHash(data: Uint8Array | string): string {
  // Every update is hashed, and a buffer for each takes longer than hashing 1 KB.
  DIGEST.setFromHex(createHash("sha256").update(data).digest("hex"));
  return DIGEST.toBase64();
}

function fileData(
  { content, removed }: FeedContent,
): string | Uint8Array | undefined {
  if (removed) return undefined;
  if (content instanceof Uint8Array || typeof content === "string") return content;
  return JSON.stringify(content, null, 2) + "\n";
}
