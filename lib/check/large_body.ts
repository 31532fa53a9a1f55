/**
 * Checks whether a body comes back that is as large as large updates are: proxies and time limits
 * let small ones pass.
 *
 * @module
 */
import { sameBytes } from "../base/same_bytes.ts";
import { ConfigError } from "../errors.ts";
import { PROBE_KEY } from "../log/names.ts";
import { type Finding, ok, wrong } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Its size: half of the largest update. Nothing can compress it. */
const BYTES = 8 * 1024 * 1024;

/** Number of random bytes that are made at a time, at most. */
const RANDOM_BYTES = 65_536;

/** Writes a large object, reads it, and deletes it. */
export async function checkLargeBody(
  { store, environment: { clock }, signal }: Pick<Subject, "store" | "environment" | "signal">,
): Promise<Finding> {
  const body = new Uint8Array(BYTES), begunAt = clock.elapsed();
  for (let i = 0; i < BYTES; i += RANDOM_BYTES) {
    crypto.getRandomValues(body.subarray(i, i + RANDOM_BYTES));
  }
  try {
    await store!.put(PROBE_KEY, body, { signal });
    const found = await store!.get(PROBE_KEY, { signal });
    const seconds = ((clock.elapsed() - begunAt) / 1000).toFixed(1);
    if (found && sameBytes(found, body)) {
      return ok(`A body of 8 MiB comes back as it was written: ${seconds} s`);
    }
    const what = found ? `${found.length} other bytes` : "nothing";
    const error = new ConfigError(
      `Cannot use the store ${store!.url}: ${what} came back of a body of 8 MiB`,
    );
    return wrong(error, "Look for a proxy or a cache that cuts or changes large bodies");
  } catch (error) {
    signal.throwIfAborted();
    return wrong(
      error as Error,
      "Small bodies pass: look for a limit of size or time, in a proxy or in the store",
    );
  } finally {
    await store!.delete([PROBE_KEY]).catch(() => {});
  }
}
