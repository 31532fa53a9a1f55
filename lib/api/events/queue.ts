/**
 * Events that wait for one client to read them.
 *
 * @module
 */
import type { EventName } from "./schemas.ts";

/** An event as it is sent. Clients share the bytes. */
export interface EncodedEvent {
  /** Its name. */
  readonly name: EventName;
  /** Its bytes. */
  readonly bytes: Uint8Array;
}

/** Updates beyond this are dropped, the oldest ones first: the client sees it by their numbers. */
const MAX_UPDATE_BYTES = 256 * 1024;

/** The events for one client. However slowly it reads, they take bounded memory. */
export class EventQueue implements AsyncIterator<Uint8Array> {
  readonly #onEnd: (queue: EventQueue) => void;
  /** Of those that tell a state, only the newest one counts. */
  readonly #states = new Map<EventName, Uint8Array>();
  readonly #updates: Uint8Array[] = [];
  #updateBytes = 0;
  #waiting: ((result: IteratorResult<Uint8Array>) => void) | undefined;
  #isEnded = false;

  /** Nothing waits yet. */
  constructor(onEnd: (queue: EventQueue) => void) {
    this.#onEnd = onEnd;
  }

  /** Adds an event. */
  push({ name, bytes }: EncodedEvent): void {
    if (this.#waiting) {
      this.#waiting({ value: bytes });
      this.#waiting = undefined;
    } else if (name !== "updates") this.#states.set(name, bytes);
    else {
      this.#updates.push(bytes);
      this.#updateBytes += bytes.length;
      while (this.#updateBytes > MAX_UPDATE_BYTES) this.#takeUpdates();
    }
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    const value = this.#takeState() ?? this.#takeUpdates();
    if (value) return Promise.resolve({ value });
    return new Promise((resolve) => this.#waiting = resolve);
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#isEnded = true;
    this.#waiting?.({ done: true, value: undefined });
    this.#onEnd(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  #takeState(): Uint8Array | undefined {
    const [first] = this.#states;
    if (!first) return undefined;
    this.#states.delete(first[0]);
    return first[1];
  }

  #takeUpdates(): Uint8Array | undefined {
    const bytes = this.#updates.shift();
    this.#updateBytes -= bytes?.length ?? 0;
    return bytes;
  }
}
