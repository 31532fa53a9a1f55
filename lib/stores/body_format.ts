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
  /** `{"feedsync":`, how a header begins: something on the way has unpacked the body. */
  ndjson: Array.from('{"feedsync":', (character) => character.charCodeAt(0)),
} as const;

/** A way to store a body. */
export type Format = keyof typeof MAGIC;

const MEDIA_TYPES: Record<Format, string> = {
  zstd: "application/zstd",
  jwe: "application/jose",
  ndjson: "application/x-ndjson",
};

/**
 * The `Content-Type` of a body. There is never a `Content-Encoding`: it allows caches and proxies to
 * unpack the body, and clients to expect that it is unpacked.
 */
export function mediaTypeOf(body: Uint8Array): string {
  const format = formatOf(body);
  return format === undefined ? "application/octet-stream" : MEDIA_TYPES[format];
}

/** How a body is stored; `undefined` when it is not feedsync's. */
export function formatOf(body: Uint8Array): Format | undefined {
  const formats = Object.keys(MAGIC) as Format[];
  return formats.find((format) => MAGIC[format].every((byte, index) => body[index] === byte));
}
