/**
 * What is done with one file that changed: read it, decide, and publish or record it.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import { shownUrl } from "../../feed_url.ts";
import { contentFromBytes, contentHash } from "../../update.ts";
import { changeTimeOf, decideOnContent, newestOf, receivedTimeOf } from "../decide.ts";
import type { FeedDirectory } from "../feed_directory.ts";
import { assertFeedSize, type IdentifiedFeed, identifyFeed, metadataFor } from "../feed_json.ts";
import { urlOfName } from "../feed_names.ts";
import { FileClock } from "../file_clock.ts";
import { type FileStatus, isReliable, readStatus } from "../file_status.ts";
import type { FileRecords } from "../file_records.ts";
import type { KnownFile } from "../../known_files.ts";
import { type Changing, type Mark, type Outcome, versionKey } from "./debouncer.ts";
import { sameUrlSubject } from "./examined_files.ts";
import { type RemovalOptions, Removals } from "./removals.ts";
import { findTruncation } from "./truncation.ts";

/** Content that ends in the middle is published once the file was left alone for so long. */
const HALF_WRITTEN_PATIENCE_MS = 10_000;

/** What examining files needs. */
export interface ExaminerOptions extends RemovalOptions {
  /** A file that has not changed for so long is taken to be complete. */
  readonly settleMs: number;
  /** Publish what mirror received where the bucket does not know the feed. @default false */
  readonly publishReceived?: boolean | undefined;
}

/** A file as it was read. */
interface ReadFile {
  readonly name: string;
  readonly status: FileStatus;
  readonly feed: IdentifiedFeed;
  readonly bytes: Uint8Array;
  readonly hash: string;
  /** When it was read, in milliseconds since 1970. */
  readonly readAt: number;
  /** Which directory it is in. */
  readonly directory: string | undefined;
  /** Whether that is not the one in which files were seen before. */
  readonly isOtherDirectory: boolean;
  /** Milliseconds to add to its times to get the store's. */
  readonly clockOffset: number;
}

/** Examines the files of one directory. */
export class Examiner {
  readonly #directory: FeedDirectory;
  readonly #records: FileRecords;
  readonly #options: ExaminerOptions;
  readonly #removals: Removals;
  readonly #fileClock: FileClock;
  /** Half-written files: since when they have been so. */
  readonly #halfWritten = new Map<
    string,
    { readonly fingerprint: string; readonly since: number }
  >();

  /** For the files in `directory`. */
  constructor(directory: FeedDirectory, records: FileRecords, options: ExaminerOptions) {
    this.#directory = directory;
    this.#records = records;
    this.#options = options;
    this.#removals = new Removals(directory, records, options);
    this.#fileClock = new FileClock(directory.path, options.clock, records);
  }

  /** Whether the file is certainly as it was when it was last examined. */
  isUnchanged(name: string, { fingerprint }: FileStatus): boolean {
    return this.#options.examined.get(name)?.fingerprint === fingerprint;
  }

  /** Whether the file is gone, and what others have published of its feed is being read. */
  isAwaited(name: string): boolean {
    return this.#removals.isAwaited(name);
  }

  /**
   * What was received for the file's URL and `mirror` may be about to write: the newest, unless it
   * is what the file itself held; as far as the URL is known without reading the file.
   */
  received(name: string): Set<string> {
    const url = this.#options.examined.get(name)?.url ?? urlOfName(name);
    const newest = url === undefined ? undefined : this.#records.newest(url);
    const isOwn = newest?.hash === this.#records.get(this.#directory.pathOf(name))?.hash;
    return new Set(newest && !isOwn ? [versionKey(url!, newest.hash)] : []);
  }

  /** Examines the file if it has come to rest. Failures are logged, not thrown. */
  async examine(name: string, mark: Mark): Promise<Outcome | Changing> {
    const path = this.#directory.pathOf(name), { problems } = this.#options;
    try {
      const status = await readStatus(this.#directory.readablePathOf(name));
      const { kind, fingerprint } = status;
      if (!this.#isStill(status, mark) || this.#mayGrow(name, status)) return { fingerprint };
      if (kind === "gone") this.#halfWritten.delete(name);
      const outcome = kind === "file"
        ? await this.#examineContent(name, status, mark)
        : kind === "gone"
        ? await this.#removals.examine(name, mark)
        : "ignored";
      problems.resolved(path);
      return outcome;
    } catch (error) {
      problems.problem(path, { text: `Cannot publish '${path}': ${messageOf(error)}` });
      return "failed";
    }
  }

  /** Whether the file is as it was when it was marked, or shows no sign of a change since the event. */
  #isStill({ kind, fingerprint, touchedAt }: FileStatus, mark: Mark): boolean {
    if (kind === "other" || fingerprint === mark.fingerprint) return true;
    const { clock, settleMs } = this.#options;
    return mark.fingerprint === undefined && kind === "file" && clock.now() - touchedAt >= settleMs;
  }

  /** Whether the file was found half-written a short time ago, and has not changed since. */
  #mayGrow(name: string, { fingerprint }: FileStatus): boolean {
    const found = this.#halfWritten.get(name);
    if (found?.fingerprint !== fingerprint) return false;
    return this.#options.clock.elapsed() - found.since < HALF_WRITTEN_PATIENCE_MS;
  }

  async #examineContent(
    name: string,
    status: FileStatus,
    mark: Mark,
  ): Promise<Outcome | Changing> {
    this.#removals.forget(name);
    const file = await this.#read(name, status);
    if (!("bytes" in file)) return file;
    // From here on nothing is waited for: another file may stand for the same URL.
    const { feed: { url }, readAt } = file, { fingerprint } = status;
    const isFirst = !this.#records.isScanned(this.#directory.path);
    const isForeign = this.#isForeign(file);
    const decision = isForeign && this.#options.publishReceived
      ? "publish"
      : this.#decide(file, mark, isFirst);
    if (decision === "publish" && this.#mustWait(file)) return { fingerprint };
    // What is in the place of a disk that is not mounted says nothing of the files on it.
    const isTrusted = !file.isOtherDirectory || this.#directory.trusts(file.directory);
    if (isTrusted || decision === "publish") this.#carryOut(file, decision, isTrusted);
    const isCertain = isTrusted && isReliable(status, readAt);
    this.#options.examined.set(name, { url, fingerprint: isCertain ? fingerprint : undefined });
    await this.#logSameUrl(name, url);
    if (decision === "note" && isForeign && isFirst) return "foreign";
    return decision === "publish" ? "published" : decision === "leave" ? "left" : "unchanged";
  }

  async #read(name: string, status: FileStatus): Promise<ReadFile | Changing> {
    assertFeedSize(status.sizeBytes);
    const readablePath = this.#directory.readablePathOf(name);
    const feed = await identifyFeed(name, readablePath);
    const readAt = this.#options.clock.now();
    const bytes = await Deno.readFile(readablePath);
    const { fingerprint } = await readStatus(readablePath);
    if (fingerprint !== status.fingerprint) return { fingerprint };
    const directory = await this.#directory.identity();
    const known = this.#records.identityOf(this.#directory.path);
    const isOtherDirectory = directory !== (known ?? directory);
    const clockOffset = await this.#fileClock.offset();
    const hash = contentHash(bytes);
    return { name, status, feed, bytes, hash, readAt, directory, isOtherDirectory, clockOffset };
  }

  /** Whether the content was received, and this bucket does not know its feed: it came from another one. */
  #isForeign({ hash, feed: { url, origin } }: ReadFile): boolean {
    return this.#records.newest(url) === undefined &&
      receivedTimeOf({ hash, origin }) !== undefined;
  }

  #decide(
    { name, status, feed: { url, origin }, hash, isOtherDirectory, clockOffset }: ReadFile,
    mark: Mark,
    isFirst: boolean,
  ) {
    const now = this.#options.clock.now() + this.#records.clockOffset;
    return decideOnContent({
      hash,
      known: this.#knownFor(name, url),
      origin,
      modifiedAt: status.modifiedAt + clockOffset,
      changedAt: changeTimeOf(status, { isFirst, clockOffset }),
      newest: newestOf(this.#records.newest(url), origin, now),
      hasArrived: mark.received.has(versionKey(url, hash)),
      isOtherDirectory,
    });
  }

  /** What was seen in the file, unless it stood for another feed then. */
  #knownFor(name: string, url: string): KnownFile | undefined {
    const known = this.#records.get(this.#directory.pathOf(name));
    const knownUrl = known?.url ?? this.#options.examined.get(name)?.url;
    // Version 0.1 recorded no URL: when nothing is known of this one, it was another.
    if (knownUrl === undefined) return this.#records.newest(url) ? known : undefined;
    return knownUrl === url ? known : undefined;
  }

  #carryOut(
    { name, feed, bytes, hash }: ReadFile,
    decision: ReturnType<typeof decideOnContent>,
    isTrusted: boolean,
  ): void {
    const path = this.#directory.pathOf(name);
    const { url } = feed;
    if (decision === "publish") {
      const update = { url, content: contentFromBytes(bytes), metadata: metadataFor(feed, hash) };
      this.#records.publish(path, hash, update, { isNoted: isTrusted });
    } else if (decision !== "unchanged" || this.#records.get(path)?.url === undefined) {
      this.#records.note(path, { url, hash, isLeft: decision === "leave" });
    }
  }

  /** Whether the writer of the file may not be done; throws when the file is empty. */
  #mustWait({ name, status: { fingerprint }, bytes }: ReadFile): boolean {
    // Most likely its writer has not come further yet, or failed.
    if (bytes.length === 0) {
      throw new RangeError("it is empty; it is published once it has content");
    }
    const truncation = findTruncation(bytes);
    const found = this.#halfWritten.get(name);
    this.#halfWritten.delete(name);
    if (truncation === undefined) return false;
    if (found?.fingerprint !== fingerprint) {
      this.#halfWritten.set(name, { fingerprint, since: this.#options.clock.elapsed() });
      return true;
    }
    this.#options.logger.warn(
      `'${this.#directory.pathOf(name)}' is published though it seems to be half-written ` +
        `(${truncation}): it has not changed for ${
          HALF_WRITTEN_PATIENCE_MS / 1000
        } s. Write beside it ` +
        "and rename",
    );
    return false;
  }

  /** Warns when other files stand for the same URL: what one publishes replaces what the others did. */
  async #logSameUrl(name: string, url: string): Promise<void> {
    const { examined, problems } = this.#options;
    const gone = new Set<string>();
    for (const other of examined.others(name, url)) {
      // One that was renamed just now may not have been missed yet.
      if (!await this.#directory.has(other)) gone.add(other);
    }
    // Asked anew: others were examined meanwhile, and all shall say the same.
    const names = [name, ...examined.others(name, url)].filter((other) => !gone.has(other));
    if (names.length === 1) return void problems.resolved(sameUrlSubject(url));
    const files = names.sort().map((name) => `'${this.#directory.pathOf(name)}'`).join(" and ");
    problems.problem(sameUrlSubject(url), {
      text:
        `${files} stand for the same URL ${shownUrl(url)}: keep one of them, each is published ` +
        "when it changes",
    });
  }
}
