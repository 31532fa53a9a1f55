import type { State } from "../../lib/state/state.ts";

/** A call of the state, or of one of its parts: `outbox.addAll`, `setFact` … */
export interface StateCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly result: unknown;
}

/** Sees what a process does with its state, and may end the process at any call. */
export interface StateGuard {
  /** Before a call, before a commit, and after one; throws when the process is or gets dead. */
  point(name: string): void;
  /** Calls that have taken effect: those of one transaction together. */
  committed(calls: readonly StateCall[], durable: boolean): void;
  /** Syncs what was written so far, which takes some time. */
  sync(): Promise<void>;
}

const PARTS = [
  "outbox",
  "ownStream",
  "former",
  "cursors",
  "newest",
  "deadLetters",
  "files",
  "forgetting",
  "restoring",
  "fleet",
  "turns",
  "inbox",
  "inboxUpkeep",
  "consumers",
  "walks",
  "publications",
] as const;

/** The state as a process sees it: the real one, with a guard before it. */
export function guardState(state: State, guard: StateGuard): State {
  let transaction: StateCall[] | undefined;

  const own = {
    path: ":memory:", // Nobody else uses it: no lock files.
    isInMemory: false, // The disk outlives the process.
    arrivals: state.arrivals, // Nothing of them is stored.
    get clockOffset() {
      guard.point("clockOffset");
      return state.clockOffset;
    },
    transaction<T>(work: () => T, options: { durable?: boolean } = {}): T {
      if (transaction) return work();
      guard.point("transaction");
      const calls: StateCall[] = transaction = [];
      try {
        const result = state.transaction(() => {
          const value = work();
          guard.point("commit");
          return value;
        }, options);
        guard.committed(calls, options.durable ?? true);
        guard.point("committed");
        return result;
      } finally {
        transaction = undefined;
      }
    },
    sync() {
      guard.point("sync");
      return guard.sync();
    },
    [Symbol.dispose]() {},
  };
  const guarded = around(state, "");
  Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(own));
  for (const part of PARTS) guarded[part] = around(state[part], `${part}.`);
  return guarded as unknown as State;

  /** An object with the methods of `target`. */
  function around(target: object, prefix: string): Record<string, unknown> {
    const methods = target as Record<string, (...args: unknown[]) => unknown>;
    return Object.fromEntries(
      methodNames(target).map((method) => [method, (...args: unknown[]) => {
        const name = prefix + method;
        guard.point(name);
        const result = methods[method](...args);
        if (transaction) transaction.push({ name, args, result });
        else guard.committed([{ name, args, result }], name === "noteClockOffset");
        return result;
      }]),
    );
  }
}

const names = new Map<object, readonly string[]>();

function methodNames(target: object): readonly string[] {
  const prototype = Object.getPrototypeOf(target);
  let known = names.get(prototype);
  if (!known) {
    const descriptors = Object.entries(Object.getOwnPropertyDescriptors(prototype));
    known = descriptors.filter(([name, { value }]) =>
      typeof value === "function" && name !== "constructor"
    ).map(([name]) => name);
    names.set(prototype, known);
  }
  return known;
}
