/**
 * Answers of JSON lines that are made while they are read.
 *
 * @module
 */
import { errorResponse } from "./errors.ts";
import { NDJSON } from "./media_types.ts";
import { pulledBody, type PulledBodyOptions } from "./pulled_body.ts";

/** Lines are sent in chunks of about so many characters. */
const CHUNK_LENGTH = 64 * 1024;

/** An answer with these lines. An error that ends them is the last line. */
export function ndjsonResponse(
  lines: AsyncIterable<unknown>,
  options: PulledBodyOptions,
): Response {
  return new Response(pulledBody(chunksOf(lines), options) as BodyInit, {
    headers: { "Content-Type": NDJSON },
  });
}

async function* chunksOf(lines: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = "";
  try {
    for await (const line of lines) {
      text += `${JSON.stringify(line)}\n`;
      if (text.length < CHUNK_LENGTH) continue;
      yield encoder.encode(text);
      text = "";
    }
  } catch (error) {
    text += `${(await errorResponse(error).text()).trim()}\n`;
  }
  if (text !== "") yield encoder.encode(text);
}
