/**
 * Commits that peers have sent: read without a request when their turn comes.
 *
 * @module
 */
import type { DecodedObject } from "../log/codec.ts";
import type { ObjectName } from "../log/names.ts";
import type { DeliveredCommit } from "../wake/source.ts";

/** More than so many commits, or bytes of memory, are not kept: what goes first is fetched from the bucket. */
const MOST_COMMITS = 1000, MOST_BYTES = 32 * 1024 * 1024;

/** Commits that wait to be read. */
export class DeliveredCommits {
  readonly #commits = new Map<string, DeliveredCommit>();
  #bytes = 0;

  /** Keeps a commit until it is taken. */
  keep(commit: DeliveredCommit): void {
    this.take(commit.name);
    this.#commits.set(commit.name.key, commit);
    this.#bytes += commit.size;
    for (const { name } of this.#commits.values()) {
      if (this.#commits.size <= MOST_COMMITS && this.#bytes <= MOST_BYTES) return;
      this.take(name);
    }
  }

  /** Hands out what is in a commit, once. */
  take({ key }: ObjectName): DecodedObject | undefined {
    const commit = this.#commits.get(key);
    if (!commit) return undefined;
    this.#commits.delete(key);
    this.#bytes -= commit.size;
    return commit;
  }

  /** Forgets what is not needed any more: the stream is read up to `seq`. */
  forget(stream: string, seq: number): void {
    for (const { name } of this.#commits.values()) {
      if (name.stream === stream && name.last <= seq) this.take(name);
    }
  }
}
