/**
 * Warnings about what stays wrong for a while, given once.
 *
 * @module
 */
import type { PluginLogger } from "../plugin.ts";

/** Warns once of each problem, until it is over or another one. */
export class Complaints {
  readonly #logger: PluginLogger;
  readonly #open = new Map<string, string>();

  /** Warnings go to this log. */
  constructor(logger: PluginLogger) {
    this.#logger = logger;
  }

  /** Warns, unless that was the last thing said of the subject. */
  about(subject: string, message: string): void {
    if (this.#open.get(subject) === message) return;
    this.#open.set(subject, message);
    this.#logger.warn(message);
  }

  /** All is well with the subject again; tells whether it was not. */
  resolved(subject: string): boolean {
    return this.#open.delete(subject);
  }
}
