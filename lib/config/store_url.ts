/**
 * URLs of stores: how those of each kind look, and how they are compared and shown.
 *
 * @module
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** How the URLs of one kind of store look. */
interface UrlKind {
  /** As people write them. */
  readonly form: string;
  /** Matches them, with their parts as groups. */
  readonly pattern: RegExp;
}

/** URLs of buckets; groups: bucket and prefix. */
export const S3_URL: UrlKind = {
  form: "s3://bucket/prefix",
  pattern: /^s3:\/\/([^/?#@:\s]+)(?:\/([^?#]*))?$/,
};

/** URLs of directories. They name no host. */
export const FILE_URL: UrlKind = { form: "file:path", pattern: /^file:(?!\/\/[^/]).+$/ };

const KINDS: readonly UrlKind[] = [S3_URL, FILE_URL];

/** Matches the URLs of every kind. */
export const STORE_URL: RegExp = new RegExp(KINDS.map(({ pattern }) => pattern.source).join("|"));

/** What is wrong with any other URL. */
export const STORE_URL_RULE: string = `must look like ${
  KINDS.map(({ form }) => `"${form}"`).join(" or ")
}`;

/**
 * The URL with an absolute path, resolved from `directory`, or without empty parts in its prefix.
 */
export function absoluteStoreUrl(url: string, directory: string): string {
  if (url.startsWith("file://")) return `file:${fileURLToPath(url)}`;
  if (url.startsWith("file:")) return `file:${resolve(directory, url.slice("file:".length))}`;
  return url.replace(/(?<!^s3:\/?)\/+(?=\/|$)/g, "");
}
