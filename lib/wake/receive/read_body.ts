/**
 * Reading the body of a message from somebody who may be a stranger.
 *
 * @module
 */

/**
 * Reads a body of `size` bytes; `undefined` when others come, or they do not come before `signal` is
 * aborted. From then on nothing of it is held, and nothing more is taken.
 */
export async function readBody(
  { body }: Request,
  size: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(size); // No chunks are gathered: that would hold twice as much.
  if (!body) return size === 0 ? bytes : undefined;
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  try {
    return await fill(bytes, reader) ? bytes : undefined;
  } catch {
    stop();
    return undefined; // The sender has hung up.
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Whether so much came, and no more. */
async function fill(
  bytes: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<boolean> {
  let filled = 0;
  for (let { value } = await reader.read(); value; { value } = await reader.read()) {
    bytes.set(value, filled);
    filled += value.length;
  }
  return filled === bytes.length;
}
