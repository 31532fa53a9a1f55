/**
 * What was last seen in each watched feed file.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** The hash of the content last seen in each file. */
export class SeenFiles {
  readonly #get;
  readonly #note;
  readonly #below;

  /** Prepares the statements. */
  constructor(db: Database) {
    this.#get = db.prepare("SELECT hash FROM files WHERE path = ?");
    this.#note = db.prepare("INSERT OR REPLACE INTO files VALUES (?, ?)");
    this.#below = db.prepare(
      "SELECT path FROM files WHERE substr(path, 1, length(?1)) = ?1 AND hash IS NOT NULL",
    );
  }

  /** Hash of what was last seen; null when the file was gone, undefined when it was never seen. */
  get(path: string): string | null | undefined {
    return this.#get.get(path)?.hash as string | null | undefined;
  }

  /** Remembers what was seen. */
  note(path: string, hash: string | null): void {
    this.#note.run(path, hash);
  }

  /** Paths that start with `prefix` and were last seen existing. */
  existing(prefix: string): string[] {
    return this.#below.all(prefix).map(({ path }) => String(path));
  }
}
