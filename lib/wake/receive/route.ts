/**
 * What the paths of the listener have in common.
 *
 * @module
 */

/** Handles the messages that are sent to one path. */
export interface Route {
  /** Refuses a stranger's message by its headers alone, before its body is read. */
  admit(request: Request, url: URL): Response | undefined;
  /** Handles a message that was admitted. */
  take(request: Request, body: Uint8Array): Response | Promise<Response>;
}

/** The message was handled. */
export function accept(): Response {
  return new Response(null, { status: 204 });
}

/** The message was refused. */
export function refuse(
  status: number,
  message: string,
  headers?: Record<string, string>,
): Response {
  return new Response(`${message}\n`, { status, headers });
}
