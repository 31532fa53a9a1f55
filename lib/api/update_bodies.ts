/**
 * The updates in the bodies of requests: one as JSON, several in an array or as JSON lines, or the
 * bytes of one as they are.
 *
 * @module
 */
import { InvalidUpdateError } from "../errors.ts";
import { MAX_UPDATE_BYTES } from "../log/codec.ts";
import { contentFromBytes, type JsonInput, type UpdateInput } from "../update.ts";
import { MAX_BODY_BYTES } from "./bodies.ts";
import { invalidRequest } from "./errors.ts";
import { type ApiRequest, checked, decodedText, parseJson, unsupportedType } from "./request.ts";
import { JSON_TYPE, NDJSON } from "./media_types.ts";
import { updateInputSchema } from "./schemas.ts";

/** Updates of a request. */
export interface GivenUpdates {
  /** The updates. */
  readonly updates: readonly UpdateInput[];
  /** In which form they were given; the answer has the same one. */
  readonly form: "one" | "array" | "lines";
  /** Where an update was given, for errors. */
  readonly placeOf?: ((index: number) => string) | undefined;
}

/** Content as it is given in JSON. */
export interface EncodedContent {
  /** Text or parsed content; with `encoding`, bytes in base64. */
  readonly content?: unknown;
  /** How content is encoded. */
  readonly encoding?: "base64" | undefined;
}

/** What browsers send without asking, and some programs without being told. */
const FORMS = ["application/x-www-form-urlencoded", "multipart/form-data"];

/**
 * Reads the updates in the body, whatever its form.
 *
 * @throws {ApiError} when it is malformed.
 * @throws {InvalidUpdateError} when an update is.
 */
export async function updatesIn(request: ApiRequest): Promise<GivenUpdates> {
  request.expectType(JSON_TYPE, NDJSON);
  const text = await request.text(MAX_BODY_BYTES);
  if (request.mediaType === NDJSON) return updatesInLines(text);
  const value = parseJson(text, "The request body");
  if (!Array.isArray(value)) {
    return { updates: [updateOf(value, "the request body")], form: "one" };
  }
  const placeOf = (index: number) => `update ${index}`;
  const updates = value.map((item, index) => updateOf(item, placeOf(index)));
  return { updates, form: "array", placeOf };
}

function updatesInLines(text: string): GivenUpdates {
  const lines = text.split("\n").map((line, index) => ({ line, place: `line ${index + 1}` }))
    .filter(({ line }) => line.trim() !== "");
  const updates = lines.map(({ line, place }) => updateOf(parseJson(line, place), place));
  return { updates, form: "lines", placeOf: (index) => lines[index].place };
}

/**
 * Reads the update in a line of JSON.
 *
 * @throws {ApiError} when it is malformed.
 * @throws {InvalidUpdateError} when the content is not in its encoding.
 */
export function updateInLine(line: Uint8Array): UpdateInput {
  return updateOf(parseJson(decodedText(line, "The line"), "The line"), "the line");
}

function updateOf(value: unknown, place: string): UpdateInput {
  const { content, encoding, ...rest } = checked(updateInputSchema, value, place);
  return { ...rest, ...decodedContent({ content, encoding }, place) };
}

/**
 * Content as it is published; nothing when it is absent.
 *
 * @throws {InvalidUpdateError} when it is not in the encoding.
 */
export function decodedContent(
  { content, encoding }: EncodedContent,
  place: string,
): Pick<UpdateInput, "content"> {
  if (encoding === undefined) return content === undefined ? {} : { content: content as JsonInput };
  try {
    return { content: Uint8Array.fromBase64(content as string) };
  } catch {
    throw new InvalidUpdateError(`${place}: 'content' is not base64, although 'encoding' says so`);
  }
}

/**
 * Reads the body as the content of a feed.
 *
 * @throws {ApiError} when it is a form, or too large.
 * @throws {InvalidUpdateError} when it is empty.
 */
export async function contentIn(request: ApiRequest): Promise<string | Uint8Array> {
  if (FORMS.includes(request.mediaType)) {
    throw unsupportedType(
      `The Content-Type of a feed cannot be ${request.mediaType}: use application/octet-stream`,
    );
  }
  const bytes = await request.bytes(MAX_UPDATE_BYTES);
  if (bytes.length > 0) return contentFromBytes(bytes);
  throw new InvalidUpdateError(
    "Cannot publish an empty body: if the feed is gone, use DELETE /v1/feeds?url=",
  );
}

/**
 * Gives the updates the names that the header `Idempotency-Key` stands for: itself, or for several
 * updates itself with `#` and their index.
 *
 * @throws {ApiError} when they have names already.
 */
export function withKey(
  { updates, form, placeOf }: GivenUpdates,
  { headers }: ApiRequest,
): GivenUpdates {
  const key = headers.get("idempotency-key");
  if (key === null) return { updates, form, placeOf };
  if (updates.some(({ id }) => id !== undefined)) {
    throw invalidRequest("Give updates an 'id', or the request an Idempotency-Key, not both");
  }
  const nameOf = (index: number) => form === "one" ? key : `${key}#${index}`;
  return {
    updates: updates.map((update, index) => ({ ...update, id: nameOf(index) })),
    form,
    placeOf,
  };
}
