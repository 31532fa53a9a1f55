/**
 * Opens the store that a URL names.
 *
 * @module
 */
import type { S3Config } from "../config/s3.ts";
import { type Environment, systemEnvironment } from "../base/environment.ts";
import { ConfigError } from "../errors.ts";
import { DeferredStore } from "./deferred_store.ts";
import { openDirectoryStore } from "./directory/directory_store.ts";
import { DATE_RESOLUTION_MS, Meter } from "./meter.ts";
import { bucketUrl, checkEndpoint } from "./endpoint.ts";
import type { ObjectStore } from "./store.ts";
import { serviceName } from "./store_identity.ts";
import { absoluteStoreUrl, FILE_URL, S3_URL, STORE_URL_RULE } from "../config/store_url.ts";

/** Options of {@linkcode openStore}. */
export interface OpenOptions {
  /** Where the relative path of a `file:` store starts. @default the working directory */
  readonly directory?: string;
  /** Time and randomness. @default the machine's */
  readonly environment?: Environment;
}

/** A kind of store. */
interface StoreKind {
  /** Matches its URLs, with the parts that `open` needs. */
  readonly pattern: RegExp;
  /** Opens the store at a matching URL. */
  open(match: RegExpExecArray, s3: S3Config, options: Required<OpenOptions>): Promise<ObjectStore>;
}

/** Every kind of store; config/store_url.ts has the forms of their URLs. The SDK is loaded only for buckets. */
const KINDS: readonly StoreKind[] = [
  {
    pattern: S3_URL.pattern,
    async open([url, bucket, place = ""], s3, { environment }) {
      const prefix = keyPrefix(place, url),
        meter = new Meter(environment.clock, DATE_RESOLUTION_MS);
      const open = async () => {
        const { openS3Store } = await import("./s3/s3_store.ts");
        return await openS3Store({ ...s3, bucket, prefix, environment, meter });
      };
      // Without an endpoint only the SDK knows the service.
      if (s3.endpoint === undefined) return await open();
      checkEndpoint(s3.endpoint, bucket);
      const service = serviceName(s3.endpoint);
      return new DeferredStore({ url: bucketUrl(bucket, prefix), service, meter, open });
    },
  },
  {
    pattern: FILE_URL.pattern,
    open([url], _s3, { directory, environment }) {
      const path = absoluteStoreUrl(url, directory).slice("file:".length);
      return Promise.resolve(openDirectoryStore(path, environment));
    },
  },
];

/**
 * Opens the store at `url`: `s3://bucket`, `s3://bucket/prefix` or `file:path`. No request is sent
 * yet, and a bucket with an endpoint is opened with the first one.
 *
 * @throws {ConfigError} when the URL has another form, or the service of a bucket cannot be
 * determined.
 */
export async function openStore(
  url: string,
  s3: S3Config = {},
  { directory = ".", environment = systemEnvironment }: OpenOptions = {},
): Promise<ObjectStore> {
  for (const kind of KINDS) {
    const match = kind.pattern.exec(url);
    if (match) return await kind.open(match, s3, { directory, environment });
  }
  throw invalidUrl(url);
}

/** The prefix of keys: without empty parts, and with a slash at the end. */
function keyPrefix(prefix: string, url: string): string {
  const parts = prefix.split("/").filter((part) => part !== "");
  if (parts.includes(".") || parts.includes("..")) throw invalidUrl(url);
  return parts.map((part) => `${part}/`).join("");
}

function invalidUrl(url: string): ConfigError {
  return new ConfigError(
    `Cannot open the store: its URL ${STORE_URL_RULE}: ` +
      `current value is ${JSON.stringify(url.replace(/\/\/.*@/, "//…@"))}`,
  );
}
