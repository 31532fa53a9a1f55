/**
 * Which store it is: the same URL may name another one at another service, and two paths the same
 * directory.
 *
 * @module
 */

/** AWS by the part of the world that has names of buckets of its own. */
const AWS = "s3.amazonaws.com",
  AWS_CHINA = "s3.amazonaws.com.cn",
  AWS_GOV = "s3.us-gov.amazonaws.com";

/**
 * Names the service behind an endpoint, as states remember it: host, port and path. Whether it is
 * reached by TLS says nothing about which one it is, nor does a default port; and all endpoints of AWS
 * lead to the same buckets, with `undefined` standing for those that the SDK chooses by the region.
 */
export function serviceName(endpoint: string | undefined, region = ""): string {
  if (endpoint === undefined) return awsName(region);
  const url = URL.parse(/^https?:/i.test(endpoint) ? endpoint : `https://${endpoint}`);
  if (!url) return endpoint;
  if (/(^|\.)amazonaws\.com(\.cn)?$/.test(url.hostname)) return awsName(url.hostname);
  return url.host + url.pathname.replace(/\/+$/, "");
}

/** By a region, or by a host name that has one in it. */
function awsName(place: string): string {
  if (/\.cn$|^cn-/.test(place)) return AWS_CHINA;
  return /(^|\.)us-gov[-.]/.test(place) ? AWS_GOV : AWS;
}

/** Whether two `file:` URLs lead to one directory: by a link, or since it is mounted twice. */
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
    return undefined; // There is nothing, or it may not be looked at.
  }
}
