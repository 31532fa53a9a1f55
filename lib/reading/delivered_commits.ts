/**
 * Commits that peers have sent: they are read without a request to the store.
 *
 * @module
 */
import type { DecodedObject } from "../log/codec.ts";
import type { ObjectName } from "../log/names.ts";
import type { DeliveredCommit } from "../wake/source.ts";

/**
 * Maximum number and size of the commits kept; the oldest are dropped and later read from the
 * bucket.
 */
const MAX_COMMITS = 1000, MAX_BYTES = 32 * 1024 * 1024;

/** The commits that wait to be read. */
export class DeliveredCommits {
  readonly #commits = new Map<string, DeliveredCommit>();
  #bytes = 0;

  /** Keeps a commit until it is taken. */
  keep(commit: DeliveredCommit): void {
    this.take(commit.name);
    this.#commits.set(commit.name.key, commit);
    this.#bytes += commit.size;
    for (const { name } of this.#commits.values()) {
      if (this.#commits.size <= MAX_COMMITS && this.#bytes <= MAX_BYTES) return;
      this.take(name);
    }
  }

  /** Returns the content of a commit and forgets it; undefined when it is not kept. */
  take({ key }: ObjectName): DecodedObject | undefined {
    const commit = this.#commits.get(key);
    if (!commit) return undefined;
    this.#commits.delete(key);
    this.#bytes -= commit.size;
    return commit;
  }

  /** Forgets the commits of a stream up to `seq`, which have been read. */
  forget(stream: string, seq: number): void {
    for (const { name } of this.#commits.values()) {
      if (name.stream === stream && name.last <= seq) this.take(name);
    }
  }
}
