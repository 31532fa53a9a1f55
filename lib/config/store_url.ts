/**
 * Normalises the URL of a store.
 *
 * @module
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The URL with an absolute path, resolved from `directory`, or without empty parts in its prefix.
 */
export function absoluteStoreUrl(url: string, directory: string): string {
  if (url.startsWith("file://")) return `file:${fileURLToPath(url)}`;
  if (url.startsWith("file:")) return `file:${resolve(directory, url.slice("file:".length))}`;
  return url.replace(/(?<!^s3:\/?)\/+(?=\/|$)/g, "");
}
