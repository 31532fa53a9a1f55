/**
 * Checks that `s3.endpoint` names a service and not a bucket. The panels of providers show the URL
 * of the bucket, which looks similar. With that, objects would get different keys than on all other
 * servers.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { providerAt } from "./providers.ts";

/**
 * Checks that the endpoint does not name the bucket.
 *
 * @throws {ConfigError} with the right endpoint, when it does.
 */
export function checkEndpoint(endpoint: string, bucket: string): void {
  const right = withoutBucket(endpoint, bucket.toLowerCase());
  if (right === undefined) return;
  throw new ConfigError(
    `Cannot use 's3.endpoint' ${endpoint}: it names the bucket ${bucket}, which belongs only in ` +
      `'store'; set 's3.endpoint' to ${right}`,
  );
}

/** The URL of a store in a bucket; the prefix is empty, or ends with a slash. */
export function bucketUrl(bucket: string, prefix: string): string {
  return `s3://${bucket}/${prefix}`.replace(/\/$/, "");
}

/** The endpoint without the bucket; undefined when it does not seem to name the bucket. */
function withoutBucket(endpoint: string, bucket: string): string | undefined {
  const { protocol, host, hostname, pathname } = new URL(endpoint);
  const parts = pathname.split("/").filter((part) => part !== "");
  const isInPath = parts.at(-1)?.toLowerCase() === bucket;
  // `bucket.vpce-…` is not a bucket, but what AWS calls endpoints in private networks.
  const isInHost = hostname.startsWith(`${bucket}.`) && !hostname.startsWith("bucket.vpce-") &&
    providerAt(hostname.slice(bucket.length + 1))?.domain !== undefined;
  if (!isInPath && !isInHost) return undefined;
  const path = isInPath ? parts.slice(0, -1) : parts;
  const service = isInHost ? host.slice(bucket.length + 1) : host;
  return [`${protocol}//${service}`, ...path].join("/");
}
