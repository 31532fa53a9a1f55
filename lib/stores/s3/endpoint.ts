/**
 * Whether `s3.endpoint` names a service. Providers' panels show the URL of the bucket, which looks alike:
 * written there, objects would get other keys than they have for everybody else.
 *
 * @module
 */
import { ConfigError } from "../../errors.ts";

/** Services whose hosts begin with the name of a bucket only where a bucket is meant. */
const PROVIDERS =
  /\.(amazonaws\.com(\.cn)?|backblazeb2\.com|cloudflarestorage\.com|digitaloceanspaces\.com|linodeobjects\.com|wasabisys\.com|scw\.cloud|ovh\.net|ovh\.us|exo\.io|vultrobjects\.com|your-objectstorage\.com|storage\.googleapis\.com|aliyuncs\.com|myqcloud\.com|idrivee2\.com)$/;

/**
 * Checks that the endpoint does not name the bucket, too.
 *
 * @throws {ConfigError} when it does, with the right one.
 */
export function checkEndpoint(endpoint: string, bucket: string): void {
  const right = withoutBucket(endpoint, bucket.toLowerCase());
  if (right === undefined) return;
  throw new ConfigError(
    `Cannot use 's3.endpoint' ${endpoint}: it names the bucket ${bucket}, which belongs in 'store' ` +
      `only; set 's3.endpoint' to ${right}`,
  );
}

/** The endpoint of the service; undefined when it is that already, as far as can be told. */
function withoutBucket(endpoint: string, bucket: string): string | undefined {
  const { protocol, host, hostname, pathname } = new URL(endpoint);
  const parts = pathname.split("/").filter((part) => part !== "");
  const isInPath = parts.at(-1)?.toLowerCase() === bucket;
  // `bucket.vpce-…` is no bucket, but the name that AWS gives to interfaces in private networks.
  const isInHost = hostname.startsWith(`${bucket}.`) && PROVIDERS.test(hostname) &&
    !hostname.startsWith("bucket.vpce-");
  if (!isInPath && !isInHost) return undefined;
  const path = isInPath ? parts.slice(0, -1) : parts;
  const service = isInHost ? host.slice(bucket.length + 1) : host;
  return [`${protocol}//${service}`, ...path].join("/");
}
