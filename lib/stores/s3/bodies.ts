/**
 * What travels to and from an S3 service besides the bytes.
 *
 * @module
 */
import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { messageOf } from "../../errors.ts";
import { ForeignAnswerError } from "./answers.ts";
import { readAtMost } from "../../base/read_at_most.ts";
import { MAX_OBJECT_BYTES, type ObjectInfo } from "../store.ts";

/** What `fetch` says of a body that it cannot unpack; of a connection that is lost it says other things. */
const MALFORMED = /gzip|deflate|brotli|^unexpected end of file/i;

/**
 * Reads the body of an object. `fetch` unpacks what claims to be gzip, which feedsync never writes: that
 * may become a lot, or fail however often it is tried.
 */
export async function readBody(
  body: ReadableStream<Uint8Array>,
): Promise<Uint8Array | "too large" | "malformed"> {
  try {
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
  /** Leads to the next page, if there is one. */
  readonly next: string | undefined;
  /** There is one. */
  readonly isTruncated: boolean;
}

/**
 * Reads a page of a listing.
 *
 * @throws {Error} when it is none: what is taken for the end of a listing hides updates.
 */
export function readPage(output: ListObjectsV2CommandOutput, root: string): Page {
  const { Name, Contents = [], EncodingType } = output;
  const next = output.NextContinuationToken || undefined; // It may be there, and empty.
  if ((output.IsTruncated ?? Name ?? output.Contents ?? next) === undefined) {
    throw new ForeignAnswerError(200);
  }
  // Whoever sends a token has more, whatever else is said.
  const isTruncated = next !== undefined || (output.IsTruncated ?? Contents.length >= PAGE_SIZE);
  const objects = Contents.flatMap(({ Key = "", Size = 0, LastModified }) => {
    const key = keyOf(Key, EncodingType === "url", root);
    return key === undefined ? [] : [{
      key,
      size: Size > 0 ? Size : 0, // It may be missing, or no number.
      lastModified: LastModified?.getTime(),
    }];
  });
  return { objects, next, isTruncated };
}

/** A page that is not the last has so many objects. */
const PAGE_SIZE = 1_000;

/**
 * The key that stands in a listing, relative to `root`; undefined when it is not below that. Services may
 * ignore that keys are to be encoded, and say otherwise, or encode them and not say so: what begins with
 * `root` was read in the right way.
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
