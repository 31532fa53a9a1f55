/**
 * Identifies stores: the same URL may name different stores at two services, and two paths may lead
 * to the same directory.
 *
 * @module
 */

/** The partitions of AWS; each has its own namespace of buckets. */
const AWS = "s3.amazonaws.com",
  AWS_CHINA = "s3.amazonaws.com.cn",
  AWS_GOV = "s3.us-gov.amazonaws.com";

/**
 * Names the service behind an endpoint, as states remember it: host, port and path. The protocol
 * and its default port are left out, since they do not identify the service. All endpoints of an
 * AWS partition lead to the same buckets; `undefined` stands for the endpoint that the SDK chooses
 * by the region.
 */
export function serviceName(endpoint: string | undefined, region = ""): string {
  if (endpoint === undefined) return awsName(region);
  const url = URL.parse(/^https?:/i.test(endpoint) ? endpoint : `https://${endpoint}`);
  if (!url) return endpoint;
  if (/(^|\.)amazonaws\.com(\.cn)?$/.test(url.hostname)) return awsName(url.hostname);
  return url.host + url.pathname.replace(/\/+$/, "");
}

/** Names the partition of AWS, by a region or a host name that contains one. */
function awsName(place: string): string {
  if (/\.cn$|^cn-/.test(place)) return AWS_CHINA;
  return /(^|\.)us-gov[-.]/.test(place) ? AWS_GOV : AWS;
}

/** Whether two `file:` URLs lead to the same directory, through a link or a second mount. */
export function isSameDirectory(one: string, other: string): boolean {
  const [a, b] = [one, other].map(identify);
  return a !== undefined && a === b;
}

function identify(store: string): string | undefined {
  if (!store.startsWith("file:")) return undefined;
  try {
    const { dev, ino } = Deno.statSync(store.slice("file:".length));
    return ino === null ? undefined : `${dev} ${ino}`;
  } catch {
    return undefined; // It does not exist, or may not be read.
  }
}
