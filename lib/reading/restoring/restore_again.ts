/**
 * Delivers the newest updates again, on request: from `newest/`, or from the log if that is newer.
 *
 * @module
 */
import { forEachConcurrently } from "../../base/concurrently.ts";
import { chainFrom } from "../chain.ts";
import { feedIdentity } from "../../feed_url.ts";
import { whyUnreadable } from "../../log/why_unreadable.ts";
import type { ObjectName } from "../../log/names.ts";
import { HASH_BATCH } from "../../log/newest/newest_log.ts";
import { newestFirst } from "../../log/newest/names.ts";
import type { OrderedUpdate } from "../../log/update_order.ts";
import { findMissing, MissingFeeds } from "./missing_feeds.ts";
import { type Obstacle, type RestoreContext, Restorer } from "./restorer.ts";
import { PARALLEL_FEEDS } from "../reading_budget.ts";
import type { RestoreProgress, RestoreReport } from "../watcher.ts";
import { isUnreadable } from "../../errors.ts";

/** A request to deliver updates again. */
export interface RestoreRequest {
  /** Only these feeds. @default all feeds */
  readonly urls?: readonly string[] | undefined;
  /** Name of the only plugin to deliver to. @default all plugins */
  readonly plugin?: string | undefined;
  /** Called with the progress. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
  /** Aborts the request. */
  readonly signal?: AbortSignal | undefined;
}

/** The updates of a stream to deliver: URLs by seq. */
type Wanted = Map<number, string>;

/** Handles one request. */
export class RestoreAgain {
  readonly #context: RestoreContext;
  readonly #request: RestoreRequest;
  readonly #restorer: Restorer;

  /** Creates the handler, without delivering anything yet. */
  constructor(context: RestoreContext, request: RestoreRequest) {
    this.#context = context;
    this.#request = request;
    this.#restorer = new Restorer(context, { again: true, only: request.plugin });
  }

  /**
   * Delivers the requested updates.
   *
   * @throws {TypeError} when no plugin has the given name.
   */
  async run(): Promise<RestoreReport> {
    const { receivers } = this.#context, { plugin } = this.#request;
    if (plugin !== undefined && !receivers.names.includes(plugin)) {
      throw new TypeError(
        `Cannot restore to the plugin ${plugin}: no plugin has this name; the plugins are ` +
          (receivers.names.join(", ") || "none"),
      );
    }
    const before = receivers.counts;
    const { kept, unknown } = await this.#listKept();
    const streams = await this.#findInLog(kept, unknown);
    await this.#restorer.restore(kept);
    const gone = await this.#readLog(streams);
    for (const url of gone) if (!await this.#restoreKept(url)) unknown.add(url);
    const { restored, failed } = receivers.counts;
    return {
      restored: restored - before.restored,
      failed: failed - before.failed,
      unknown: [...unknown],
      unreadable: this.#restorer.obstacles.filter(isUnreadable),
    };
  }

  /** Lists the requested feeds in `newest/`, and the requested URLs that are not there. */
  async #listKept(): Promise<{ kept: MissingFeeds; unknown: Set<string> }> {
    const { urls } = this.#request, { signal } = this.#context;
    const unknown = new Set<string>();
    if (!urls) {
      const kept = await findMissing(this.#context, { known: () => [], signal });
      return { kept, unknown };
    }
    const kept = new MissingFeeds();
    for (const url of new Set(urls.map(feedIdentity))) {
      if (!await this.#addKept(kept, url)) unknown.add(url);
    }
    return { kept, unknown };
  }

  async #addKept(kept: MissingFeeds, url: string): Promise<boolean> {
    const { log, signal } = this.#context;
    const plausible = newestFirst(await log.newest.listFeed(url, { signal }), log.now());
    for (const name of plausible) kept.add(name);
    return plausible.length > 0;
  }

  /** Finds the updates that are newer in the log than in `newest/`, by stream. */
  async #findInLog(kept: MissingFeeds, unknown: Set<string>): Promise<Map<string, Wanted>> {
    const { state: { newest }, log } = this.#context, { urls } = this.#request;
    const asked = urls && new Set(urls.map(feedIdentity));
    const streams = new Map<string, Wanted>();
    for (let after = "";;) {
      const rows = newest.placedPage(after, HASH_BATCH);
      if (rows.length === 0) return streams;
      after = rows.at(-1)!.url;
      const wanted = rows.filter(({ url }) => !asked || asked.has(url));
      const hashes = await Promise.all(wanted.map(({ url }) => log.newest.hashesOf(url)));
      for (const [index, { url, stream, seq, ...row }] of wanted.entries()) {
        if (!this.#dropOlder(kept, hashes[index], row)) continue;
        unknown.delete(url);
        const seqs = streams.get(stream) ?? new Map<number, string>();
        streams.set(stream, seqs.set(seq, url));
      }
    }
  }

  /** Whether the known update is newer than those in `kept`, which are then dropped. */
  #dropOlder(kept: MissingFeeds, hashes: readonly string[], known: OrderedUpdate): boolean {
    if (hashes.some((hash) => kept.reaches(hash, known))) return false;
    for (const hash of hashes) kept.drop(hash);
    return true;
  }

  /** Delivers updates from the log; resolves to the URLs of those that are gone from it. */
  async #readLog(streams: ReadonlyMap<string, Wanted>): Promise<string[]> {
    const gone: string[] = [];
    for (const [stream, wanted] of streams) {
      this.#restorer.expect(wanted.size);
      await forEachConcurrently(
        await this.#holding(stream, wanted),
        { limit: PARALLEL_FEEDS, signal: this.#context.signal },
        (name, signal) => this.#readObject(name, { wanted, signal }),
      );
      gone.push(...wanted.values());
    }
    return gone;
  }

  /** The objects of the stream that hold wanted updates. */
  async #holding(stream: string, wanted: Wanted): Promise<Generator<ObjectName>> {
    const { log, budget: { restoring }, signal } = this.#context;
    const list = (kind: "tail" | "segments") =>
      restoring.low.run(() => log.listStream(kind, stream, { signal }));
    const names = [...await list("tail"), ...await list("segments")];
    const seqs = [...wanted.keys()].sort((a, b) => a - b);
    return (function* () {
      let end = 0;
      for (const seq of seqs) {
        if (seq <= end) continue;
        const [name] = chainFrom(names, seq - 1);
        if (!name) continue;
        end = name.last;
        yield name;
      }
    })();
  }

  async #readObject(
    name: ObjectName,
    { wanted, signal }: { readonly wanted: Wanted; readonly signal: AbortSignal },
  ): Promise<void> {
    const { log, budget: { restoring, decoded } } = this.#context;
    signal.throwIfAborted();
    try {
      const packed = await restoring.low.run(() => log.read(name, { signal }));
      if (!packed) return;
      using object = await decoded.hold(() => packed.decode());
      for (const update of object.value.updates) {
        if (!wanted.has(update.seq)) continue;
        await this.#restorer.deliver({ ...update, stream: name.stream }, signal);
        wanted.delete(update.seq);
        this.#restorer.tick();
      }
    } catch (error) {
      if (!whyUnreadable(error)) throw error;
      this.#restorer.obstacles.push(error as Obstacle);
    }
  }

  /** Delivers an update from `newest/` that has perhaps been moved there meanwhile. */
  async #restoreKept(url: string): Promise<boolean> {
    const kept = new MissingFeeds();
    if (!await this.#addKept(kept, url)) return false;
    await this.#restorer.restore(kept);
    return true;
  }
}
