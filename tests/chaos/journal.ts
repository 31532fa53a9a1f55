/**
 * The journal of a run: everything that happened, in the order in which it became known.
 *
 * @module
 */

/** A journal in a file. */
export class Journal implements Disposable {
  readonly #file: Deno.FsFile;

  /** A journal at `path`. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { create: true, append: true });
  }

  /** Adds a line. */
  note(who: string, what: string): void {
    const time = new Date().toISOString().slice(11, -1);
    this.#file.writeSync(new TextEncoder().encode(`${time} ${who} ${what}\n`));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
