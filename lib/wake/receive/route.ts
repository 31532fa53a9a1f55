/**
 * What a listener takes at a path, and how it answers.
 *
 * @module
 */

/** What is taken at a path. */
export interface Route {
  /** Refuses what the head of a message shows to be a stranger's, before its body is read. */
  admit(request: Request, url: URL): Response | undefined;
  /** Takes the message. */
  take(request: Request, body: Uint8Array): Response | Promise<Response>;
}

/** The message is taken. */
export function done(): Response {
  return new Response(null, { status: 204 });
}

/** It is not. */
export function refuse(
  status: number,
  message: string,
  headers?: Record<string, string>,
): Response {
  return new Response(`${message}\n`, { status, headers });
}
