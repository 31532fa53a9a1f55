/**
 * Reading what has an unknown length into bounded memory.
 *
 * @module
 */

/** Reads all bytes, as of a stream; "too large" as soon as there are more than `maxBytes`. */
export async function readAtMost(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | "too large"> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) return "too large";
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0];
  return await new Blob(chunks as BlobPart[]).bytes();
}
