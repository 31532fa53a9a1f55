/**
 * The newest updates, and how many have come: received and published ones.
 *
 * @module
 */
import type { Connection } from "../../connection.ts";
import { isRemovalBody } from "../../log/codec.ts";
import type { StoredCommit } from "../../publishing/commit.ts";
import type { Arrival } from "../../state/arrivals.ts";
import { type Counts, MAX_SHOWN, type ShownUpdate, shownUpdate } from "./data.ts";

/** Notes updates, from now on until it is closed. */
export class RecentUpdates {
  readonly #onNews: () => void;
  readonly #counts = { published: 0, received: 0 };
  #newest: ShownUpdate[] = [];
  #forget = () => {};

  /** Calls `onNews` after each note. */
  constructor({ parts }: Connection, onNews: () => void) {
    this.#onNews = onNews;
    if (!parts) return;
    const { state: { arrivals }, uploader: { onCommit } } = parts;
    const noteStored = (commit: StoredCommit) => this.#note(storedIn(commit), "published");
    const stopListening = arrivals.listen((arrived) => this.#note(arrived, "received"));
    onCommit.push(noteStored);
    this.#forget = () => {
      stopListening();
      onCommit.splice(onCommit.indexOf(noteStored), 1);
    };
  }

  /** How many have come. */
  get counts(): Counts {
    return this.#counts;
  }

  /** How many have come in all. */
  get total(): number {
    return this.#counts.published + this.#counts.received;
  }

  /** The newest ones with greater numbers, the newest last. */
  after(number: number): ShownUpdate[] {
    return this.#newest.filter((update) => update.number > number);
  }

  /** Notes no more. */
  close(): void {
    this.#forget();
  }

  #note(updates: readonly Arrival[], kind: keyof Counts): void {
    this.#counts[kind] += updates.length;
    const newest = updates.slice(-MAX_SHOWN), first = this.total - newest.length + 1;
    const shown = newest.map((update, index) =>
      shownUpdate(update, { number: first + index, isOwn: kind === "published" })
    );
    this.#newest = [...this.#newest, ...shown].slice(-MAX_SHOWN);
    this.#onNews();
  }
}

function storedIn({ name: { stream }, rows }: StoredCommit): Arrival[] {
  return rows.map(({ id, url, time, body }) => ({
    ...{ id, url, stream, time: new Date(time).toISOString(), removed: isRemovalBody(body) },
  }));
}
