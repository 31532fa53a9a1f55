/**
 * The readers of all streams: one per stream, in parallel.
 *
 * @module
 */
import { type ObjectName, reachOf } from "../log/names.ts";
import type { TailNews } from "./read_context.ts";

/** Reads a stream up to the last known update. */
export type Read = (stream: string, news: TailNews) => Promise<void>;

/** Starts readers. News about a stream that is already being read is read afterwards. */
export class Readers {
  readonly #read: Read;
  readonly #onFailure: (stream: string, error: unknown) => void;
  readonly #running = new Map<string, Promise<void>>();
  /** News from later polls and wake-ups about streams that are being read. */
  readonly #later = new Map<string, TailNews>();

  /** Readers use `read`; `onFailure` is called when it rejects. */
  constructor(read: Read, onFailure: (stream: string, error: unknown) => void) {
    this.#read = read;
    this.#onFailure = onFailure;
  }

  /** How many streams are being read. */
  get size(): number {
    return this.#running.size;
  }

  /** Whether the stream is being read. */
  has(stream: string): boolean {
    return this.#running.has(stream);
  }

  /** Commits that were announced since the stream is being read. */
  announced(stream: string): readonly ObjectName[] {
    return this.#later.get(stream)?.commits ?? [];
  }

  /** Starts to read the stream; if it is already being read, keeps the news for afterwards. */
  start(stream: string, news: TailNews): void {
    if (this.#running.has(stream)) {
      this.#later.set(stream, merge(this.#later.get(stream), news));
      return;
    }
    const running = this.#readAll(stream, news);
    this.#running.set(stream, running);
    running.catch((error) => this.#onFailure(stream, error));
  }

  /** Waits until nothing is being read; rejects with the first error of a reader. */
  async idle(): Promise<void> {
    let failure: PromiseRejectedResult | undefined;
    while (this.#running.size > 0) {
      const results = await Promise.allSettled(this.#running.values());
      failure ??= results.find((result) => result.status === "rejected");
    }
    if (failure) throw failure.reason;
  }

  async #readAll(stream: string, news: TailNews): Promise<void> {
    try {
      for (let next: TailNews | undefined = news; next; next = this.#later.get(stream)) {
        this.#later.delete(stream);
        await this.#read(stream, next);
      }
    } finally {
      // Synchronously: later news must start a new reader.
      this.#running.delete(stream);
      this.#later.delete(stream);
    }
  }
}

/**
 * Keeps commits from wake-ups that a listing does not show: it may have begun before they were
 * stored.
 */
function merge(known: TailNews | undefined, news: TailNews): TailNews {
  const listed = news.isListing ? reachOf(news.commits) : 0;
  const keys = new Set(news.commits.map(({ key }) => key));
  const more = known?.commits.filter(({ key, last }) => last > listed && !keys.has(key)) ?? [];
  return { ...news, commits: [...more, ...news.commits] };
}
