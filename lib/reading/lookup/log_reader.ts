/**
 * Reads the whole log into a state in memory, for connections whose own state does not know it. No
 * cursor of that state moves.
 *
 * @module
 */
import { abortable } from "../../base/deadline.ts";
import { resolveWake } from "../../config/wake.ts";
import type { Connection, LogReading } from "../../connection.ts";
import type { UnreadableError } from "../../errors.ts";
import { callbackPlugin } from "../../plugin.ts";
import { State } from "../../state/state.ts";
import type { Update } from "../../update.ts";
import { BucketWatcher } from "../bucket_watcher.ts";

/** Reads the log like a new server, and then what is new at each poll. */
export class LogReader implements LogReading, AsyncDisposable {
  /** The state in memory that notes what was read. */
  readonly state: State;
  readonly #beside: Connection;
  readonly #watcher: BucketWatcher;
  readonly #forget: () => void;

  /** Creates a reader, which is closed with the connection; `onUpdate` receives all updates. */
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
   * Reads everything that is in the log by now; resolves to the errors of unreadable objects.
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
