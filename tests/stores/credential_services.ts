/**
 * Services that ask for credentials, and services that give them, for tests.
 *
 * @module
 */
import { httpServer, s3Failure, type Server } from "../servers/http.ts";

/** A bucket that takes everything that is signed with the keys it knows. */
export interface SignedBucket extends Server {
  /** Access key and session token of each request so far. */
  readonly seen: string[];
  /** The access keys that it says have expired. */
  readonly expired: Set<string>;
}

/** A service that notes who sends requests to it. */
export function signedBucket(): SignedBucket {
  const seen: string[] = [], expired = new Set<string>();
  const server = httpServer(async (request) => {
    await request.arrayBuffer();
    const { headers } = request;
    const key = /Credential=([^/]+)/.exec(headers.get("authorization") ?? "")?.[1] ?? "nobody";
    const token = headers.get("x-amz-security-token");
    seen.push(token === null ? key : `${key} ${token}`);
    if (expired.has(key)) return s3Failure(400, "ExpiredToken");
    return new Response(null, { headers: { etag: '"1"' } });
  });
  return { ...server, seen, expired };
}

/** In the form of containers and instances: keys that are named after `name`. */
export function keysFor(name: string): Record<string, unknown> {
  return {
    Code: "Success",
    AccessKeyId: name,
    SecretAccessKey: "secret",
    Token: `token-of-${name}`,
    Expiration: inAnHour(),
  };
}

/** A token service: each role it gives is called `role-<number>`; notes what it was asked. */
export function tokenService(): Server & { readonly asked: URLSearchParams[] } {
  const asked: URLSearchParams[] = [];
  const server = httpServer(async (request) => {
    const parameters = new URLSearchParams(await request.text());
    asked.push(parameters);
    const action = parameters.get("Action");
    const name = `role-${asked.length}`;
    return new Response(
      `<${action}Response><${action}Result><Credentials><AccessKeyId>${name}</AccessKeyId>` +
        `<SecretAccessKey>secret</SecretAccessKey><SessionToken>token-of-${name}</SessionToken>` +
        `<Expiration>${inAnHour()}</Expiration></Credentials></${action}Result></${action}Response>`,
      { headers: { "content-type": "text/xml" } },
    );
  });
  return { ...server, asked };
}

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}
