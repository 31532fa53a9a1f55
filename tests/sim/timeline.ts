import { setImmediate } from "node:timers";
import { Standstill } from "../standstill.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Virtual time: all that is going to happen, in order. Nothing in a simulated process waits for
 * anything else, so that after each event one turn of the real event loop brings all processes to
 * rest.
 */
export class Timeline extends Standstill {
  /** Milliseconds since 1970. */
  now: number = Date.parse("2026-01-01T00:00:00Z");
  /** How many events have happened. */
  steps = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  /** Has something happen after `ms`; the returned function prevents it. */
  after(ms: number, run: () => void): () => void {
    const event: Event = { at: this.now + Math.max(0, ms), order: this.#order++, run };
    this.#push(event);
    return () => event.run = undefined;
  }

  /** Lets the next event happen, with all that follows from it; false when there is none. */
  async step(): Promise<boolean> {
    for (let event = this.#pop(); event; event = this.#pop()) {
      const { run } = event;
      if (!run) continue;
      event.run = undefined;
      this.now = event.at;
      this.steps++;
      run();
      do await turn(); while (this.isHeld);
      return true;
    }
    return false;
  }

  #push(event: Event) {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent])) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const top = heap[0], event = heap.pop();
    if (heap.length === 0 || !event) return top;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], event)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = event;
    return top;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** A turn of the event loop: all promises that can be settled are settled then. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
