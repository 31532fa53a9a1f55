import type { Reading } from "../memory.ts";

const READINGS = [1_000, 5_000, 10_000];

/** Does `work` again and again, and prints now and then how much memory that takes. */
export async function idle(work: () => Promise<unknown>): Promise<void> {
  for (let polls = 1; polls <= READINGS.at(-1)!; polls++) {
    await work();
    if (!READINGS.includes(polls)) continue;
    const reading: Reading = { polls, rss: Deno.memoryUsage().rss };
    console.log(JSON.stringify(reading));
  }
}
