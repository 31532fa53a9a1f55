/**
 * A clock that is wrong, for one process: `libfaketime`, of Debian's package of that name.
 *
 * @module
 */

/** Where Debian has it. */
const DIRECTORIES = ["x86_64", "aarch64"].map((name) => `/usr/lib/${name}-linux-gnu/faketime`);

/**
 * The environment that puts a Deno process an hour ahead.
 *
 * @throws {Error} where that is not possible.
 */
export async function hourAhead(): Promise<Record<string, string>> {
  const library = DIRECTORIES.map((path) => `${path}/libfaketimeMT.so.1`).find(exists);
  if (library === undefined) throw new Error("libfaketime is not installed");
  const env = {
    LD_PRELOAD: library,
    FAKETIME: "+1h",
    // Timers go on as they are, and files have their right times.
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
  const command = new Deno.Command(Deno.execPath(), {
    args: ["eval", "console.log(Date.now())"],
    env,
  });
  const { stdout } = await command.output();
  const ahead = Number(new TextDecoder().decode(stdout)) - Date.now();
  if (Math.abs(ahead - 3_600_000) < 60_000) return env;
  throw new Error("Deno does not obey libfaketime");
}

/** Removes what processes with a wrong clock leave behind when they are killed. */
export async function removeTraces(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) {
      await Deno.remove(`/dev/shm/${name}`).catch(() => {});
    }
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
