/**
 * Which requests may reach the API at all: not those that a web page of somebody else makes a
 * browser send, under a name that leads here (DNS rebinding) or from another origin.
 *
 * @module
 */
import { ApiError, invalidRequest } from "./errors.ts";

/** What requests must look like. */
export interface GuardOptions {
  /** Host names, besides `localhost`, under which they may arrive; any, through a socket. */
  readonly hosts: readonly string[] | "any";
}

/** A host with its port: a name, an IPv4 address, or an IPv6 one in brackets. */
const HOST = /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/;

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Requests of these sites are the user's own. */
const OWN_SITES: ReadonlySet<string | null> = new Set([null, "none", "same-origin"]);

/**
 * Refuses requests that came under a foreign name, or from another origin.
 *
 * @throws {ApiError} with the reason.
 */
export function guard({ headers }: Request, { hosts }: GuardOptions): void {
  const host = (headers.get("host") ?? "").toLowerCase();
  const name = HOST.exec(host)?.groups?.name;
  if (name === undefined) throw invalidRequest("The Host header is missing or malformed");
  if (hosts !== "any" && !isOwnHost(name, hosts)) {
    throw forbidden(
      `Requests must be sent to an IP address or to localhost, not to ${name}; the key ` +
        "'api.hosts' of the configuration allows other names",
    );
  }
  const origin = headers.get("origin")?.toLowerCase();
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    throw forbidden("Requests of web pages of other origins are refused");
  }
  if (!OWN_SITES.has(headers.get("sec-fetch-site"))) {
    throw forbidden("Requests of web pages of other sites are refused");
  }
}

function isOwnHost(name: string, hosts: readonly string[]): boolean {
  return name === "localhost" || name.startsWith("[") || IPV4.test(name) || hosts.includes(name);
}

function forbidden(message: string): ApiError {
  return new ApiError(403, { name: "ForbiddenError", message });
}
