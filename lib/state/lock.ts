/**
 * Advisory file locks. They end with the process that holds them.
 *
 * @module
 */

/** An exclusive lock on a file. */
export class FileLock implements Disposable {
  readonly #path: string | undefined;
  #file: Deno.FsFile | undefined;
  #held = false;

  /** A lock on the file at `path`. Without a path it is always free. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Takes the lock if it is free; returns whether it is held now. Waiting for it could not be aborted. */
  tryAcquire(): boolean {
    if (this.#held || this.#path === undefined) return this.#held = true;
    this.#file ??= Deno.openSync(this.#path, { create: true, write: true });
    return this.#held = this.#file.tryLockSync(true);
  }

  /** Frees the lock. */
  [Symbol.dispose](): void {
    this.#held = false;
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Whether a process holds the lock on the file at `path`. Unlike taking the lock, it makes no file. */
export function isLocked(path: string): boolean {
  try {
    using file = Deno.openSync(path, { write: true });
    return !file.tryLockSync(true);
  } catch {
    return false;
  }
}
