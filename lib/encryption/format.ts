/**
 * What the first bytes of an object tell. Headers are never asked: some stores drop them.
 *
 * @module
 */

const MAGIC = {
  /** RFC 8878. */
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  /** `eyJ`, how base64url of a JSON object begins: a JWE in compact serialization. */
  jwe: [0x65, 0x79, 0x4a],
} as const;

/** A way to store a body. */
export type Format = keyof typeof MAGIC;

/** How HTTP names what is in a body. */
export interface MediaType {
  /** `Content-Type`. */
  readonly type: string;
  /** `Content-Encoding`. */
  readonly encoding?: string;
}

/** Lets `curl … | zstd -d`, browsers and people make sense of a body. */
export function mediaTypeOf(body: Uint8Array): MediaType {
  const format = formatOf(body);
  if (format === "zstd") return { type: "application/x-ndjson", encoding: "zstd" };
  return { type: format === "jwe" ? "application/jose" : "application/octet-stream" };
}

/** How a body is stored; `undefined` when it is not feedsync's. */
export function formatOf(body: Uint8Array): Format | undefined {
  const formats = Object.keys(MAGIC) as Format[];
  return formats.find((format) => MAGIC[format].every((byte, index) => body[index] === byte));
}
