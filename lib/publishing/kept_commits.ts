/**
 * Commits that this process has stored, until they are in a closed segment: so sealing need not read and
 * encode their rows again.
 *
 * @module
 */
import type { ObjectName } from "../log/names.ts";
import { plus } from "../log/positions.ts";

/** What is kept of a commit. */
export interface KeptCommit {
  readonly name: ObjectName;
  /** The lines of its rows. */
  readonly lines: readonly string[];
  /** How many bytes these count. */
  readonly bytes: number;
  /** Its body before it is encrypted. */
  readonly packed: Uint8Array;
}

/** At most so many bytes are kept; the oldest commits go first. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The commits that were stored last. */
export class KeptCommits {
  readonly #largeBytes: number;
  #commits: KeptCommit[] = [];

  /** A commit of more bytes than `largeBytes` becomes a segment of its own. */
  constructor(largeBytes: number) {
    this.#largeBytes = largeBytes;
  }

  /** Keeps a commit: of a large one only the body. */
  add({ name, lines, bytes, packed }: KeptCommit): void {
    const isLarge = bytes > this.#largeBytes;
    this.#commits.push({ name, lines: isLarge ? [] : lines, bytes: isLarge ? 0 : bytes, packed });
    while (this.#size() > MAX_BYTES) this.#commits.shift();
  }

  /** The lines of these seqs, if all of them are kept. */
  lines({ stream, first, last }: ObjectName): readonly string[] | undefined {
    const lines: string[] = [];
    for (const { name, lines: own } of this.#commits) {
      const isNext = name.stream === stream && name.first === plus(first, lines.length);
      if (isNext && name.last <= last) lines.push(...own);
    }
    return lines.length === last - first + 1 ? lines : undefined;
  }

  /** The body of an object that holds just what a commit of the same writer does, before it is encrypted. */
  packed({ stream, first, last, writer }: ObjectName): Uint8Array | undefined {
    return this.#commits.find(({ name }) =>
      name.stream === stream && name.first === first && name.last === last &&
      name.writer === writer
    )?.packed;
  }

  /** Forgets the commits that a closed segment holds, and those of other streams. */
  drop({ stream, last }: ObjectName): void {
    this.#commits = this.#commits.filter(({ name }) => name.stream === stream && name.last > last);
  }

  #size(): number {
    return this.#commits.reduce((sum, { bytes, packed }) => sum + bytes + packed.length, 0);
  }
}
