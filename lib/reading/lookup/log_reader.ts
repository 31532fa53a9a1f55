/**
 * Reading the whole log beside whoever watches, without moving a cursor: for a connection whose state does
 * not tell what is in it.
 *
 * @module
 */
import { abortable } from "../../base/deadline.ts";
import { resolveWake } from "../../config/wake.ts";
import type { Closable, Connection } from "../../connection.ts";
import type { UnreadableError } from "../../errors.ts";
import { callbackPlugin } from "../../plugin.ts";
import { State } from "../../state/state.ts";
import type { Update } from "../../update.ts";
import { BucketWatcher } from "../bucket_watcher.ts";

/** Reads as a server without a past would, and then what is new at each poll. */
export class LogReader implements Closable, AsyncDisposable {
  /** What it has read. */
  readonly state: State;
  readonly #beside: Connection;
  readonly #watcher: BucketWatcher;
  readonly #forget: () => void;

  /** Nothing is read yet; `onUpdate` is told of everything. It is closed with the connection. */
  constructor(connection: Connection, onUpdate: (update: Update) => void = () => {}) {
    const { log, environment } = connection.parts!;
    const owner = { server: connection.server, store: log.url };
    this.state = new State(":memory:", owner, environment.random);
    const apart = {
      from: "earliest",
      includeOwn: true,
      wake: resolveWake(),
      plugins: [],
    } as const;
    this.#beside = connection.beside(apart, this.state);
    const plugins = () => Promise.resolve([callbackPlugin(onUpdate)]);
    this.#watcher = new BucketWatcher(this.#beside, plugins, { manual: true });
    this.#forget = connection.closeWithMe(this);
  }

  /**
   * Resolves when everything is read that is in the log by now and can be read, to what is in the way of the
   * rest.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the log cannot be read.
   */
  async poll(signal: AbortSignal): Promise<readonly UnreadableError[]> {
    const { unreadable } = await abortable(this.#watcher.poll(), signal);
    return unreadable;
  }

  async close(): Promise<void> {
    this.#forget();
    await this.#watcher.close();
    await this.#beside.parts!.uploader.close({ timeoutMs: 0 });
    this.state[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
