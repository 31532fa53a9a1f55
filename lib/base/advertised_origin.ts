/**
 * Origins that a server tells others to connect to. Those others check them again: what connects
 * wherever it is told to can be made to reach what only its own machine should reach, such as the
 * credentials of a cloud's metadata service at 169.254.169.254.
 *
 * @module
 */
import type { BlockList } from "node:net";
import process from "node:process";

/** Maximum length of an origin. */
const MAX_CHARACTERS = 300;

/** Addresses of no server: link-local ones, unspecified ones, multicast, and reserved ones. */
const REFUSED_IPV4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 3],
];

/** The same of IPv6. */
const REFUSED_IPV6: readonly (readonly [string, number])[] = [
  ["::", 128],
  ["fe80::", 10],
  ["ff00::", 8],
];

/** Prefixes behind which an IPv4 address may stand in an IPv6 one; the rest is zero. */
const EMBEDDING: readonly string[] = [
  "::", // IPv4-compatible, RFC 4291
  "::ffff:", // IPv4-mapped, RFC 4291
  "::ffff:0:", // IPv4-translated, RFC 2765
  "64:ff9b::", // NAT64, RFC 6052
];

let refused: BlockList | undefined;

/**
 * The origin that `text` consists of, such as `http://web-1.example.com:7070`; undefined when it is
 * no http(s) origin, has more than that, or no server can be there.
 */
export function advertisedOrigin(text: string): string | undefined {
  const url = text.length > MAX_CHARACTERS ? null : URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.port === "0") return undefined;
  const isOnlyOrigin = url.href === `${url.origin}/` && !/[?#\s]/.test(text);
  return isOnlyOrigin && !isRefused(url.hostname) ? url.origin : undefined;
}

/** Whether the host, as `URL` spells it, is an address that nobody may be sent to. */
function isRefused(hostname: string): boolean {
  refused ??= makeBlockList();
  if (/^\d+(\.\d+){3}$/.test(hostname)) return refused.check(hostname, "ipv4");
  const address = /^\[(.*)\]$/.exec(hostname)?.[1];
  return address !== undefined && address !== "::1" && refused.check(address, "ipv6");
}

function makeBlockList(): BlockList {
  const net = process.getBuiltinModule("node:net"); // Loading it takes long, and few need it.
  const list = new net.BlockList();
  for (const [network, bits] of REFUSED_IPV6) list.addSubnet(network, bits, "ipv6");
  for (const [network, bits] of REFUSED_IPV4) {
    list.addSubnet(network, bits, "ipv4");
    for (const prefix of EMBEDDING) list.addSubnet(`${prefix}${network}`, 96 + bits, "ipv6");
    list.addSubnet(sixToFour(network), 16 + bits, "ipv6");
  }
  return list;
}

/** The network of 6to4 behind an IPv4 network, RFC 3056. */
function sixToFour(network: string): string {
  const [a, b, c, d] = network.split(".").map(Number);
  return `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`;
}
