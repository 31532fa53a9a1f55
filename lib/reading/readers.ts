/**
 * The readers of all streams: one a stream, side by side.
 *
 * @module
 */
import { type ObjectName, reachOf } from "../log/names.ts";
import type { TailNews } from "./read_context.ts";

/** Reads a stream as far as what is known of it goes. */
export type Read = (stream: string, news: TailNews) => Promise<void>;

/** Starts readers. What is told of a stream while it is being read is read after that. */
export class Readers {
  readonly #read: Read;
  readonly #onFailure: (stream: string, error: unknown) => void;
  readonly #running = new Map<string, Promise<void>>();
  /** What later polls and wake-ups told of streams that are being read. */
  readonly #later = new Map<string, TailNews>();

  /** They read with `read`; `onFailure` is told when that rejects. */
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

  /** Commits that news told of since the stream is being read. */
  announced(stream: string): readonly ObjectName[] {
    return this.#later.get(stream)?.commits ?? [];
  }

  /** Begins to read the stream, or remembers the news for when it is its turn. */
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
      // At once: what is told from now on begins a new one.
      this.#running.delete(stream);
      this.#later.delete(stream);
    }
  }
}

/** A listing may have begun before what a wake-up told of was there. */
function merge(known: TailNews | undefined, news: TailNews): TailNews {
  const listed = news.isListing ? reachOf(news.commits) : 0;
  const keys = new Set(news.commits.map(({ key }) => key));
  const more = known?.commits.filter(({ key, last }) => last > listed && !keys.has(key)) ?? [];
  return { ...news, commits: [...more, ...news.commits] };
}
