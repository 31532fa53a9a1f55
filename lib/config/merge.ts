/**
 * Putting configurations over each other.
 *
 * @module
 */
import type { Config } from "./config.ts";
import type { S3Config } from "./s3_config.ts";

/** What both say; where they differ `over` wins, key by key. */
export function merge(base: Config, over: Config): Config {
  return {
    ...base,
    ...defined(over),
    ...(base.s3 || over.s3) && { s3: mergeS3(base.s3 ?? {}, over.s3 ?? {}) },
    ...(base.encryption || over.encryption) &&
      { encryption: { ...base.encryption, ...defined(over.encryption ?? {}) } },
    ...(base.files || over.files) && { files: { ...base.files, ...defined(over.files ?? {}) } },
  };
}

function mergeS3(base: S3Config, over: S3Config): S3Config {
  const assumeRole = { ...base.assumeRole, ...defined(over.assumeRole ?? {}) };
  return {
    ...base,
    ...defined(over),
    ...(base.assumeRole || over.assumeRole) && { assumeRole },
  };
}

/** The members that are not `undefined`: those would hide what they are put over. */
export function defined<T extends object>(object: T): Partial<T> {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}
