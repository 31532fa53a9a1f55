/**
 * Reads the bodies of answers: objects and pages of listings.
 *
 * @module
 */
import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { messageOf } from "../../errors.ts";
import { ForeignAnswerError } from "./answers.ts";
import { readAtMost } from "../../base/read_at_most.ts";
import { MAX_OBJECT_BYTES, type ObjectInfo } from "../store.ts";

/**
 * Errors of `fetch` for a body that it cannot decompress; those of lost connections are different.
 */
const MALFORMED = /gzip|deflate|brotli|^unexpected end of file/i;

/**
 * Reads the body of an object. `fetch` decompresses a body with a `Content-Encoding`, which
 * feedsync never sets: the result may be huge, or it may fail at every attempt. `size` is Infinity where
 * it is not known before.
 */
export async function readBody(
  body: ReadableStream<Uint8Array>,
  size: number,
): Promise<Uint8Array | "too large" | "malformed"> {
  try {
    if (size <= MAX_OBJECT_BYTES) return await new Response(body).bytes();
    return await readAtMost(body, MAX_OBJECT_BYTES);
  } catch (error) {
    if (MALFORMED.test(messageOf(error))) return "malformed";
    throw error;
  }
}

/** A page of a listing, with keys relative to `root`. */
export interface Page {
  /** The objects. */
  readonly objects: ObjectInfo[];
  /** Continuation token of the next page, if there is one. */
  readonly next: string | undefined;
  /** Whether there is a next page. */
  readonly isTruncated: boolean;
}

/**
 * Reads a page of a listing.
 *
 * @throws {Error} when it is not a page: taken for the end of a listing, it would hide updates.
 */
export function readPage(output: ListObjectsV2CommandOutput, root: string): Page {
  const { Name, Contents = [], EncodingType } = output;
  const next = output.NextContinuationToken || undefined; // It may be empty.
  if ((output.IsTruncated ?? Name ?? output.Contents ?? next) === undefined) {
    throw new ForeignAnswerError(200);
  }
  // A token means that there is more, whatever `IsTruncated` says.
  const isTruncated = next !== undefined || (output.IsTruncated ?? Contents.length >= PAGE_SIZE);
  const objects = Contents.flatMap(({ Key = "", Size = 0, LastModified }) => {
    const key = keyOf(Key, EncodingType === "url", root);
    return key === undefined ? [] : [{
      key,
      size: Size > 0 ? Size : 0, // It may be missing or not a number.
      lastModified: LastModified?.getTime(),
    }];
  });
  return { objects, next, isTruncated };
}

/** Number of objects on a full page. */
const PAGE_SIZE = 1_000;

/**
 * Decodes a key of a listing, relative to `root`; undefined when it is not below that. Services may
 * not encode keys although they say so, or encode them without saying so: the form that begins with
 * `root` is the right one.
 */
function keyOf(text: string, isEncoded: boolean, root: string): string | undefined {
  const ways = isEncoded ? [decodeKey(text), text] : [text, decodeKey(text)];
  return ways.find((key) => key !== "" && key.startsWith(root))?.slice(root.length);
}

/** AWS writes a space as `+`. A key that is not UTF-8 stays encoded: it is not one of ours. */
function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
