/**
 * Ports for servers in tests.
 *
 * @module
 */

/** A port of this machine that nobody listens at. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** An address with such a port: `127.0.0.1:12345`. */
export function freeAddress(): string {
  return `127.0.0.1:${freePort()}`;
}
