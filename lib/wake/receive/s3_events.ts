/**
 * Parses bucket events, which S3, MinIO and Ceph send when an object is written.
 *
 * @module
 */
import { type ObjectName, parseKey } from "../../log/names.ts";

/**
 * The commits in the store that an event reports; undefined when the text is not a bucket event in
 * JSON. Unwraps events forwarded by SNS.
 */
export function commitsIn(event: string, store: string): ObjectName[] | undefined {
  const { Records: records, Message: message } = fieldsOf(parse(event));
  if (typeof message === "string") return commitsIn(message, store);
  if (!Array.isArray(records)) return undefined;
  return records.flatMap((record) => {
    const { bucket, object } = fieldsOf(fieldsOf(record).s3);
    const { name: bucketName } = fieldsOf(bucket), { key } = fieldsOf(object);
    if (typeof bucketName !== "string" || typeof key !== "string") return [];
    const url = `s3://${bucketName}/${decodeKey(key)}`;
    const name = url.startsWith(`${store}/`) ? parseKey(url.slice(store.length + 1)) : undefined;
    return name?.kind === "tail" ? [name] : [];
  });
}

/** Decodes a key, which is encoded like the query of a URL. */
function decodeKey(key: string): string {
  const text = key.replaceAll("+", " ");
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
