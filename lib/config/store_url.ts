/**
 * The URL of a store as it is compared and shown.
 *
 * @module
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The URL with an absolute path, seen from `directory`, or without empty parts in its prefix. */
export function absoluteStoreUrl(url: string, directory: string): string {
  if (url.startsWith("file://")) return `file:${fileURLToPath(url)}`;
  if (url.startsWith("file:")) return `file:${resolve(directory, url.slice("file:".length))}`;
  return url.replace(/(?<!^s3:\/?)\/+(?=\/|$)/g, "");
}
