/**
 * What is done with a file that is gone: publish that its feed is removed, or only record it.
 *
 * @module
 */
import type { Clock } from "../../base/environment.ts";
import type { OnceLog } from "../../base/once_log.ts";
import { shownUrl } from "../../feed_url.ts";
import type { PluginLogger } from "../../plugin.ts";
import { decideOnRemoval } from "../decide.ts";
import type { FeedDirectory } from "../feed_directory.ts";
import { identifyFeed } from "../feed_json.ts";
import { readStatus } from "../file_status.ts";
import type { FileRecords } from "../file_records.ts";
import { type Changing, type Mark, type Outcome, versionKey } from "./debouncer.ts";
import { type ExaminedFiles, sameUrlSubject } from "./examined_files.ts";
import type { RemovalGuard } from "./removal_guard.ts";

/** What examining removals needs. */
export interface RemovalOptions {
  /** Tells when a file was missed first. */
  readonly clock: Clock;
  /** Whether removals are published; `all`: however many files are gone at once. */
  readonly publishRemovals: boolean | "all";
  /** Says which files that are gone were removed. */
  readonly guard: RemovalGuard;
  /** The files that were examined in this process. */
  readonly examined: ExaminedFiles;
  /** Logs what is wrong with files. */
  readonly problems: OnceLog;
  /** Logs removals. */
  readonly logger: PluginLogger;
  /** Resolves when all is known that others have published by now. @default it is known */
  readonly catchUp?: (() => Promise<void>) | undefined;
}

/** Examines the files of one directory that are gone. */
export class Removals {
  readonly #directory: FeedDirectory;
  readonly #records: FileRecords;
  readonly #options: RemovalOptions;
  readonly #barrier: ReadBarrier | undefined;

  /** For the files in `directory`. */
  constructor(directory: FeedDirectory, records: FileRecords, options: RemovalOptions) {
    this.#directory = directory;
    this.#records = records;
    this.#options = options;
    const { clock, catchUp } = options;
    this.#barrier = catchUp && new ReadBarrier(clock, catchUp);
  }

  /** Whether the file is gone, and what others have published of its feed is being read. */
  isAwaited(name: string): boolean {
    return this.#barrier?.isAwaited(name) ?? false;
  }

  /** The file is there again. */
  forget(name: string): void {
    this.#barrier?.forget(name);
  }

  /** Examines a file that is gone; `mark` says what was received meanwhile. */
  async examine(name: string, mark: Mark): Promise<Outcome | Changing> {
    const { guard, examined, publishRemovals, problems } = this.#options;
    const path = this.#directory.pathOf(name);
    const known = this.#records.get(path);
    if (typeof known?.hash !== "string") return "ignored";
    const refusal = await guard.refusal(name);
    if (refusal) return refusal;
    const url = await this.#urlOf(name);
    const { kind, fingerprint } = await readStatus(this.#directory.readablePathOf(name));
    if (kind !== "gone") return { fingerprint };
    const decision = decideOnRemoval({
      hash: known.hash,
      publishRemovals: publishRemovals !== false,
      hasOtherFile: examined.others(name, url).length > 0,
      newest: url === undefined ? undefined : this.#records.newest(url),
      hasArrived: url !== undefined && mark.received.has(versionKey(url, null)),
    });
    if (decision === "publish" && url !== undefined) {
      // Who applied something newer, and is replacing the file, learned of it before.
      if (this.#barrier?.isPassed(name) === false) return { fingerprint };
      this.#records.publish(path, null, { url, removed: true });
      this.#log(path, url, "published that its feed is removed");
    } else {
      this.#records.note(path, { url, hash: null });
      if (decision === "leave") this.#log(path, url!, "a newer update of its feed is known");
    }
    examined.delete(name);
    problems.resolved(sameUrlSubject(url));
    if (decision !== "publish") return "unchanged";
    if (url !== undefined) return "removed";
    throw new Error("it is gone, and the URL of its feed is not known any more");
  }

  #log(path: string, url: string, what: string): void {
    this.#options.logger.info(`'${path}' is gone: ${what}: ${shownUrl(url)}`);
  }

  async #urlOf(name: string): Promise<string | undefined> {
    const url = this.#options.examined.get(name)?.url ??
      this.#records.get(this.#directory.pathOf(name))?.url;
    if (url !== undefined) return url;
    const feed = identifyFeed(name, this.#directory.readablePathOf(name));
    return await feed.then(({ url }) => url, () => undefined);
  }
}

/** Waits until all is read that was published before something was seen, for all files together. */
class ReadBarrier {
  readonly #clock: Clock;
  readonly #read: () => Promise<void>;
  /** When each file was first asked about. */
  readonly #asked = new Map<string, number>();
  #last: { readonly begun: number; readonly error?: unknown } = { begun: -Infinity };
  #isReading = false;

  /** `read` resolves when all is known that was published before it was called. */
  constructor(clock: Clock, read: () => Promise<void>) {
    this.#clock = clock;
    this.#read = read;
  }

  /**
   * Whether all is known that was published until the file was first asked about. If not, it is being
   * read: ask again.
   *
   * @throws what kept it from being read; asking again begins anew.
   */
  isPassed(name: string): boolean {
    const since = this.#asked.getOrInsertComputed(name, () => this.#clock.elapsed());
    if (this.#last.begun < since) {
      this.#begin();
      return false;
    }
    this.#asked.delete(name);
    if ("error" in this.#last) throw this.#last.error;
    return true;
  }

  isAwaited(name: string): boolean {
    return this.#asked.has(name);
  }

  forget(name: string): void {
    this.#asked.delete(name);
  }

  #begin(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    const begun = this.#clock.elapsed();
    this.#read().then(() => ({ begun }), (error: unknown) => ({ begun, error })).then((last) => {
      this.#last = last;
      this.#isReading = false;
    });
  }
}
