/**
 * Notifications between processes of one machine.
 *
 * @module
 */

/**
 * Notifies another process by a file: one writes it, the other watches it. A notification may be lost, as
 * not every file system reports changes, so whoever listens also looks now and then.
 */
export class FileNotifier implements AsyncDisposable {
  readonly #path: string | undefined;
  #watcher: Deno.FsWatcher | undefined;
  #listening: Promise<void> | undefined;

  /** A notifier with the file at `path`, which is empty and stays so. Without a path it does nothing. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Notifies the process that listens. */
  notify(): void {
    if (this.#path === undefined) return;
    try {
      Deno.truncateSync(this.#path); // Changes nothing, which is reported all the same.
    } catch {
      // Only who made the file may write it.
    }
  }

  /** Calls `notified` at each notification; further calls change nothing. */
  listen(notified: () => void): void {
    this.#listening ??= this.#listen(notified).catch(() => {});
  }

  async #listen(notified: () => void): Promise<void> {
    if (this.#path === undefined) return;
    this.#watcher = Deno.watchFs(this.#path);
    for await (const { kind } of this.#watcher) if (kind === "modify") notified();
  }

  /** Ends the listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#watcher?.close();
    } catch {
      // It has ended by itself.
    }
    await this.#listening;
  }
}
