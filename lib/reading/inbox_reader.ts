/**
 * Reads on for consumers while plugins hold reading up.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Semaphore, type TaskRunner } from "../base/semaphore.ts";
import { messageOf } from "../errors.ts";
import { whyUnreadable } from "../log/why_unreadable.ts";
import type { ObjectName } from "../log/names.ts";
import type { Core } from "../state/core.ts";
import { chainFrom } from "./chain.ts";
import type { Intake } from "./intake.ts";

const logger = getLogger(["feedsync", "consumers"]);

/** Dependencies of {@linkcode InboxReader}. */
export interface InboxReaderContext extends Core {
  /** Takes updates into the inbox. */
  readonly intake: Intake;
  /** Limits its requests. */
  readonly requests: TaskRunner;
  /** Whether plugins still hold reading up. */
  readonly isHeldUp: () => boolean;
  /** Stops it. */
  readonly signal: AbortSignal;
}

/**
 * Takes what follows in streams into the inbox, ahead of the cursors, which do not move: the plugins
 * have the same objects read again. What cannot be read here is left to the reader of the stream,
 * which alone decides whether it is a gap.
 */
export class InboxReader {
  readonly #context: InboxReaderContext;
  readonly #running = new Map<string, Promise<void>>();
  /** Decoded objects are large: one at a time. */
  readonly #objects = new Semaphore(1);

  /** Creates it, without reading anything yet. */
  constructor(context: InboxReaderContext) {
    this.#context = context;
  }

  /** Starts to read the stream ahead, if plugins hold it up and there are consumers. */
  start(stream: string): void {
    const { state, isHeldUp } = this.#context;
    if (this.#running.has(stream) || !isHeldUp() || !state.inbox.isWanted()) return;
    const running = this.#read(stream).catch((error) => {
      if (this.#context.signal.aborted) return;
      logger.debug("Cannot read {stream} ahead for consumers: {message}", {
        stream,
        message: messageOf(error),
      });
    }).finally(() => this.#running.delete(stream));
    this.#running.set(stream, running);
  }

  /** Waits until nothing is being read. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #read(stream: string): Promise<void> {
    const { requests, log, isHeldUp, signal } = this.#context;
    const beyond = this.#taken(stream);
    const list = (kind: "tail" | "segments") =>
      requests.run(() => log.listStream(kind, stream, { beyond, signal }));
    const names = [...await list("tail"), ...await list("segments")];
    for (const name of chainFrom(names, beyond)) {
      if (signal.aborted || !isHeldUp()) return;
      const isTaken = await this.#objects.low.run(() => this.#take(name));
      if (!isTaken) return;
    }
  }

  /** Takes in an object; resolves to whether what follows can be taken in. */
  async #take(name: ObjectName): Promise<boolean> {
    const { requests, log, intake, signal } = this.#context, { stream } = name;
    try {
      const packed = await requests.run(() => log.read(name, { signal }));
      const updates = packed?.decode().updates ?? [];
      const taken = this.#taken(stream);
      if (name.first > taken + 1) return false; // It was set back meanwhile, at a fork.
      const fresh = updates.filter(({ seq }) => seq > taken);
      if (fresh.length > 0) intake.take(stream, fresh);
      return updates.length > 0;
    } catch (error) {
      if (!whyUnreadable(error)) throw error;
      return false;
    }
  }

  /** Up to which seq the inbox has the stream. */
  #taken(stream: string): number {
    const { inbox, cursors } = this.#context.state;
    return inbox.taken(stream) ?? cursors.get(stream);
  }
}
