/**
 * Detects the format of an object by its first bytes. Headers are not used: some stores drop them.
 *
 * @module
 */

const MAGIC = {
  /** RFC 8878. */
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  /** `eyJ`, the start of a JSON object in base64url: a JWE in compact serialization. */
  jwe: [0x65, 0x79, 0x4a],
  /** `{"feedsync":`, the start of a header: a cache or proxy has decompressed the body. */
  ndjson: Array.from('{"feedsync":', (character) => character.charCodeAt(0)),
} as const;

/** Format of a stored body. */
export type Format = keyof typeof MAGIC;

const MEDIA_TYPES: Record<Format, string> = {
  zstd: "application/zstd",
  jwe: "application/jose",
  ndjson: "application/x-ndjson",
};

/**
 * The `Content-Type` of a body. There is never a `Content-Encoding`, since it would allow caches
 * and proxies to decompress the body.
 */
export function mediaTypeOf(body: Uint8Array): string {
  const format = formatOf(body);
  return format === undefined ? "application/octet-stream" : MEDIA_TYPES[format];
}

/** The format of a body; `undefined` when feedsync did not write it. */
export function formatOf(body: Uint8Array): Format | undefined {
  const formats = Object.keys(MAGIC) as Format[];
  return formats.find((format) => MAGIC[format].every((byte, index) => body[index] === byte));
}
