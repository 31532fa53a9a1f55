/**
 * The interface of the routes of the listener.
 *
 * @module
 */

/** Handles the messages that are sent to one path. */
export interface Route {
  /** Maximum size of a body. @default that of the largest commit */
  readonly maxBytes?: number | undefined;
  /** Checks the headers, and refuses unauthenticated messages before their body is read. */
  admit(request: Request, url: URL): Response | undefined;
  /** Handles an admitted message. */
  take(request: Request, body: Uint8Array): Response | Promise<Response>;
}

/** The answer to a handled message. */
export function accept(): Response {
  return new Response(null, { status: 204 });
}

/** The answer to a refused message. */
export function refuse(
  status: number,
  message: string,
  headers?: Record<string, string>,
): Response {
  return new Response(`${message}\n`, { status, headers });
}
