/**
 * Waiting in a run that takes its time.
 *
 * @module
 */

/**
 * Waits for `work`; false when it takes more than so many seconds. Only those count in which this
 * process could do something: without the proxy nobody can.
 */
export async function within(seconds: number, work: Promise<unknown>): Promise<boolean> {
  let done = false;
  const finished = work.then(() => done = true);
  for (let second = 0; second < seconds && !done; second++) {
    await Promise.race([finished, pause(1000)]);
  }
  return done;
}

/** Waits so many milliseconds; less than none are none. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
