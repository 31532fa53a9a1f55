/**
 * Warnings as tests see them.
 *
 * @module
 */
import { configureSync, resetSync } from "@logtape/logtape";

/** Collects what is warned of, until it is disposed of. */
export function warnings(): Disposable & { readonly lines: string[] } {
  const lines: string[] = [];
  configureSync({
    reset: true,
    sinks: { memory: ({ message }) => void lines.push(message.join("")) },
    loggers: [
      { category: ["feedsync"], lowestLevel: "warning", sinks: ["memory"] },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  return { lines, [Symbol.dispose]: resetSync };
}
