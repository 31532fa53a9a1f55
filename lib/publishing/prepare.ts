/**
 * Preparing updates: they are checked and encoded before anything is written.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { InvalidUpdateError } from "../errors.ts";
import { type FeedUrlOptions, normalizeFeedUrl, shownUrl } from "../feed_url.ts";
import { MAX_UPDATE_BYTES, updateBody, updateLine } from "../log/codec.ts";
import { Shape } from "../log/json_limits.ts";
import { MAX_SEQ } from "../log/positions.ts";
import {
  type FeedContent,
  hashOf,
  type Json,
  type JsonObject,
  type UpdateInput,
} from "../update.ts";
import { assertJson } from "./json.ts";

/** A valid update, ready to be accepted. */
export interface PreparedUpdate {
  /** Normalised. */
  readonly url: string;
  /** Its JSON without `seq`, `id`, `url` and `time`. */
  readonly body: string;
  /** Hash of the content; null when the feed is gone. */
  readonly hash: string | null;
  /** What the publisher called it. */
  readonly name?: string | undefined;
}

/**
 * Checks an update and encodes it.
 *
 * @throws {InvalidUpdateError} when it cannot be published.
 */
export function prepareUpdate(update: UpdateInput, options?: FeedUrlOptions): PreparedUpdate {
  const { content, metadata = {}, removed = false, id: name } = update ?? {};
  const url = normalizeFeedUrl(update?.url, options);
  const action = `Cannot publish ${shownUrl(url)}`;
  checkRemoved(action, { content, removed });
  checkName(action, name);
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw new InvalidUpdateError(`${action}: 'metadata' must be a JSON object`);
  }
  const isRaw = typeof content === "string" || content instanceof Uint8Array;
  if (isRaw && content.length > MAX_UPDATE_BYTES) throw tooLarge(action, content.length);
  const json = { action, shape: new Shape() };
  if (!removed && !(content instanceof Uint8Array)) assertJson(content, "content", json);
  assertJson(metadata, "metadata", json);
  const checked: FeedContent = { content: content as Json | Uint8Array, removed };
  const body = updateBody({ ...checked, metadata: metadata as JsonObject });
  const bytes = Buffer.byteLength(body) + Buffer.byteLength(JSON.stringify(url)) + OTHER_BYTES;
  if (bytes > MAX_UPDATE_BYTES) throw tooLarge(action, bytes);
  return { url, body, hash: hashOf(checked), ...name !== undefined && { name } };
}

/** Bytes of a line besides the body and the URL with its quotes, at most. */
const OTHER_BYTES = updateLine(
  { id: crypto.randomUUID(), url: "", time: 0, body: "" },
  MAX_SEQ,
).length;

/** Form of the names that publishers give their updates. */
const NAME = /^[\x20-\x7e]{1,255}$/;

function checkName(action: string, name: unknown): void {
  if (name === undefined || typeof name === "string" && NAME.test(name)) return;
  throw new InvalidUpdateError(`${action}: 'id' must have 1 to 255 characters of ASCII`);
}

function checkRemoved(
  action: string,
  { content, removed }: { content: unknown; removed: unknown },
): void {
  if (typeof removed !== "boolean") {
    throw new InvalidUpdateError(`${action}: 'removed' must be true or false`);
  }
  if (removed && content !== undefined) {
    throw new InvalidUpdateError(`${action}: 'content' and 'removed' exclude each other`);
  }
  if (!removed && content === undefined) {
    throw new InvalidUpdateError(
      `${action}: 'content' is missing; give it, or 'removed: true' if the feed is gone`,
    );
  }
}

function tooLarge(action: string, bytes: number): InvalidUpdateError {
  return new InvalidUpdateError(
    `${action}: it takes ${bytes} bytes, more than the ${MAX_UPDATE_BYTES} allowed`,
  );
}
