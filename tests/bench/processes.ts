/**
 * What processes use of the processor, as Linux tells it.
 *
 * @module
 */

/** Linux counts in hundredths of a second, whatever its own clock. */
const TICKS_PER_SECOND = 100;

/** Seconds that the processes have run so far. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // After the name, which may have spaces in it: 11 other fields, then user and system time.
    const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
    return Number(user) + Number(system);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
}

/** The processes that have `text` in their command lines. */
export function processesWith(text: string): number[] {
  const pids = Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter(Boolean);
  return pids.filter((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(text);
    } catch {
      return false; // It has ended meanwhile.
    }
  });
}
