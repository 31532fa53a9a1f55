/**
 * Reads the newest updates of many feeds: from the outbox, the log, or `newest/`.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { OnceLog } from "../base/once_log.ts";
import type { Connection, Parts } from "../connection.ts";
import { CorruptObjectError } from "../errors.ts";
import type { NewestUpdate } from "../log/newest/body.ts";
import { newestFirst, newestName } from "../log/newest/names.ts";
import { inboxUpdateOf } from "../reading/inbox_update.ts";
import { isInLog } from "../reading/lookup/find_newest.ts";
import { readFirst } from "../reading/lookup/read_newest.ts";
import type { InboxUpdate } from "../state/inbox.ts";
import type { NewestRow } from "../state/newest.ts";
import type { Update } from "../update.ts";
import { LogObjects } from "./log_objects.ts";

const logger = getLogger(["feedsync", "consumers"]);

/** Reads the newest updates of feeds that the state knows. */
export class FeedReader {
  readonly #connection: Connection;
  readonly #parts: Parts;
  readonly #objects: LogObjects;
  readonly #problems: OnceLog;

  /** Creates a reader, without reading anything yet. */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.#parts = connection.parts!;
    this.#objects = new LogObjects(this.#parts);
    this.#problems = new OnceLog(logger, this.#parts.environment.clock);
  }

  /**
   * The newest update of a feed, or its removal; undefined when it is damaged or gone, and nothing
   * older can be read.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
   * @throws {MissingKeyError | UnsupportedFormatError} when reading it takes a key or an upgrade.
   */
  async read(feed: string, row: NewestRow, signal: AbortSignal): Promise<InboxUpdate | undefined> {
    const queued = this.#queued(row);
    if (queued) return queued;
    const places = [
      () => this.#fromLog(row, signal),
      () => this.#fromNewest(feed, row, signal),
    ];
    const [likely, other] = isInLog(this.#connection, row) ? places : places.toReversed();
    const found = await likely() ?? await other() ?? await this.#search(feed, signal);
    return found && inboxUpdateOf(found.stream, found);
  }

  /** Ends reading. */
  close(): void {
    this.#objects.close();
  }

  #queued({ id }: NewestRow): InboxUpdate | undefined {
    const { state } = this.#parts, found = state.outbox.find(id);
    return found && { ...found, ...state.placeOf(found.row) };
  }

  async #fromLog(row: NewestRow, signal: AbortSignal): Promise<NewestUpdate | undefined> {
    return row.place && await this.#objects.find(row.place, row.id, signal);
  }

  /** Its key in `newest/` is known: no listing is needed. */
  async #fromNewest(
    feed: string,
    { time, id, hash: contentHash }: NewestRow,
    signal: AbortSignal,
  ): Promise<NewestUpdate | undefined> {
    const { newest } = this.#parts.log;
    for (const hash of await newest.hashesOf(feed)) {
      const name = newestName({ hash, time, id, isRemoved: contentHash === null });
      try {
        const update = await newest.read(name, { signal });
        if (update) return update;
      } catch (error) {
        if (!(error instanceof CorruptObjectError)) throw error;
      }
    }
    return undefined;
  }

  /** Lists what is kept of the feed: something newer, or an older update if this one is damaged. */
  async #search(url: string, signal: AbortSignal): Promise<Update | undefined> {
    const { log } = this.#parts, problems = this.#problems;
    const names = newestFirst(await log.newest.listFeed(url, { signal }), log.now());
    return await readFirst(names, { log, problems, signal });
  }
}
