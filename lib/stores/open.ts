/**
 * Opens the store that a URL names.
 *
 * @module
 */
import type { S3Config } from "../config/s3.ts";
import { absoluteStore } from "../config/core.ts";
import { type Environment, systemEnvironment } from "../base/environment.ts";
import { ConfigError } from "../errors.ts";
import { openDirectoryStore } from "./directory/directory_store.ts";
import type { ObjectStore } from "./store.ts";

/** What the URL of a store looks like. A `file:` URL names no host. */
const STORE_URL =
  /^(?:file:(?!\/\/[^/])(?<path>.+)|s3:\/\/(?<bucket>[^/?#@:\s]+)(?:\/(?<prefix>[^?#]*))?)$/;

/** Options of {@linkcode openStore}. */
export interface OpenOptions {
  /** Where the relative path of a `file:` store starts. @default the working directory */
  readonly directory?: string;
  /** Time and chance. @default the machine's */
  readonly environment?: Environment;
}

/**
 * Opens the store at `url`: `s3://bucket`, `s3://bucket/prefix` or `file:path`. Nothing is
 * requested from it yet.
 *
 * @throws {ConfigError} when the URL is none of these, or the service of a bucket is not known.
 */
export async function openStore(
  url: string,
  s3: S3Config = {},
  { directory = ".", environment = systemEnvironment }: OpenOptions = {},
): Promise<ObjectStore> {
  const { path, bucket, prefix = "" } = STORE_URL.exec(url)?.groups ?? {};
  if (path !== undefined) {
    const absolute = absoluteStore(url, directory).slice("file:".length);
    return openDirectoryStore(absolute, { environment });
  }
  if (bucket === undefined) throw invalidUrl(url);
  // Those who keep their updates in a directory never load the SDK.
  const { openS3Store } = await import("./s3/s3_store.ts");
  return await openS3Store({ ...s3, bucket, prefix: keyPrefix(prefix, url), environment });
}

/** Without empty parts, which would be parts of the keys, and with a slash at the end. */
function keyPrefix(prefix: string, url: string): string {
  const parts = prefix.split("/").filter((part) => part !== "");
  if (parts.includes(".") || parts.includes("..")) throw invalidUrl(url);
  return parts.map((part) => `${part}/`).join("");
}

function invalidUrl(url: string): ConfigError {
  return new ConfigError(
    "Cannot open the store, it must look like s3://bucket, s3://bucket/prefix or file:path: " +
      `current value is ${JSON.stringify(url.replace(/\/\/.*@/, "//…@"))}`,
  );
}
