/**
 * HTTP as it is on the wire: what `fetch` would not send.
 *
 * @module
 */

/** Sends a text, and returns the beginning of what is answered. */
export async function raw(
  address: Deno.ConnectOptions | Deno.UnixConnectOptions,
  text: string,
): Promise<string> {
  using connection = "path" in address ? await Deno.connect(address) : await Deno.connect(address);
  await connection.write(new TextEncoder().encode(text));
  const bytes = new Uint8Array(64 * 1024);
  const length = await connection.read(bytes);
  return new TextDecoder().decode(bytes.subarray(0, length ?? 0));
}

/** A request with these headers, as text; ends the connection unless they say otherwise. */
export function requestText(
  line: string,
  headers: Readonly<Record<string, string>>,
  body = "",
): string {
  const lines = Object.entries({ Connection: "close", ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = body === "" ? "" : `Content-Length: ${new TextEncoder().encode(body).length}\r\n`;
  return `${line} HTTP/1.1\r\n${lines}${length}\r\n${body}`;
}

/** The status in an answer. */
export function statusIn(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
}
