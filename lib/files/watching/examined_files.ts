/**
 * What is remembered of the files that this process has examined: saves reading them again.
 *
 * @module
 */

/** A file as it was when it was examined. */
export interface ExaminedFile {
  /** URL of its feed. */
  readonly url: string;
  /** Absent when the file may have changed since with the same fingerprint. */
  readonly fingerprint?: string;
}

/** The files that were examined, by name. */
export class ExaminedFiles {
  readonly #files = new Map<string, ExaminedFile>();
  readonly #namesOf = new Map<string, Set<string>>();

  /** What is remembered of the file. */
  get(name: string): ExaminedFile | undefined {
    return this.#files.get(name);
  }

  /** Remembers the file as it is now. */
  set(name: string, file: ExaminedFile): void {
    this.delete(name);
    this.#files.set(name, file);
    this.#namesOf.getOrInsertComputed(file.url, () => new Set()).add(name);
  }

  /** Forgets the file. */
  delete(name: string): void {
    const url = this.#files.get(name)?.url;
    if (url === undefined) return;
    this.#files.delete(name);
    const names = this.#namesOf.get(url)!;
    names.delete(name);
    if (names.size === 0) this.#namesOf.delete(url);
  }

  /** Names of the files other than `name` that stand for the URL. */
  others(name: string, url: string | undefined): string[] {
    const names = url === undefined ? undefined : this.#namesOf.get(url);
    return [...names ?? []].filter((other) => other !== name);
  }
}

/** Subject of the problem that several files stand for the URL. */
export function sameUrlSubject(url: string | undefined): string {
  return `files of ${url}`;
}
