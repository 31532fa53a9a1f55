/**
 * What is done with one file that changed: read it, decide, and publish or remember.
 *
 * @module
 */
import type { Clock } from "../../base/environment.ts";
import type { OnceLog } from "../../base/once_log.ts";
import { messageOf } from "../../errors.ts";
import { shownUrl } from "../../feed_url.ts";
import type { PluginLogger } from "../../plugin.ts";
import { contentFromBytes, contentHash } from "../../update.ts";
import { findTruncation } from "./truncation.ts";
import {
  changeTimeOf,
  decideOnContent,
  decideOnRemoval,
  newestOf,
  receivedTimeOf,
} from "../decide.ts";
import { ExaminedFiles } from "./examined_files.ts";
import type { FeedDirectory } from "../feed_directory.ts";
import { FileClock } from "../file_clock.ts";
import { Knowledge } from "./knowledge.ts";
import type { FileRecords, KnownFile } from "../known_files.ts";
import { assertFeedSize, type IdentifiedFeed, identifyFeed, metadataFor } from "../feed_json.ts";
import { urlOfName } from "../feed_names.ts";
import { RemovalGuard } from "./removal_guard.ts";
import type { Changing, Mark, Outcome } from "./debouncer.ts";
import { type FileStatus, isReliable, readStatus } from "../file_status.ts";

/** Content that ends in the middle is published when the file was left alone for so many milliseconds. */
export const HALF_WRITTEN_FOR = 10_000;

/** What examining files is done with. */
export interface ExaminerOptions {
  /** Tells how long ago a file was modified. */
  readonly clock: Clock;
  /** Milliseconds without a change after which a file is taken to be complete. */
  readonly settle: number;
  /** Whether the removal of a file is published; `all`: however many are gone at once. */
  readonly publishRemovals: boolean | "all";
  /** Where problems are logged. */
  readonly problems: OnceLog;
  /** Where removals are told. */
  readonly logger: PluginLogger;
  /** Publish what mirror received where the bucket does not know the feed. @default false */
  readonly publishReceived?: boolean | undefined;
  /** Resolves when all is known that others have published by now. @default it is known */
  readonly catchUp?: (() => Promise<void>) | undefined;
}

/** A file as it was read. */
interface ReadFile {
  readonly name: string;
  readonly status: FileStatus;
  readonly identity: IdentifiedFeed;
  readonly bytes: Uint8Array;
  readonly hash: string;
  /** Whether the directory is not the one in which files were seen before. */
  readonly isOtherDirectory: boolean;
  /** Milliseconds to add to its times to get the store's. */
  readonly clockOffset: number;
}

/** Examines the files of one directory, and remembers what it saw to save reading them again. */
export class Examiner {
  readonly #directory: FeedDirectory;
  readonly #records: FileRecords;
  readonly #options: ExaminerOptions;
  readonly #examined = new ExaminedFiles();
  /** Since when files have been as they are, and half-written. */
  readonly #halfWritten = new Map<
    string,
    { readonly fingerprint: string; readonly since: number }
  >();
  readonly #knowledge: Knowledge | undefined;
  readonly #fileClock: FileClock;
  /** Says which files that are gone were removed. */
  readonly guard: RemovalGuard;

  /** For the files in `directory`. */
  constructor(directory: FeedDirectory, records: FileRecords, options: ExaminerOptions) {
    this.#directory = directory;
    this.#records = records;
    this.#options = options;
    const { clock, catchUp } = options;
    this.#fileClock = new FileClock(directory.path, clock, records);
    this.#knowledge = catchUp && new Knowledge(clock, catchUp);
    this.guard = new RemovalGuard(directory, records, { ...options, examined: this.#examined });
  }

  /** Whether the file is certainly as it was when it was last examined. */
  isUnchanged(name: string, status: FileStatus): boolean {
    return this.#examined.get(name)?.fingerprint === status.fingerprint;
  }

  /** Whether the file is gone, and it is being learned what others have published of its feed. */
  isWaitedFor(name: string): boolean {
    return this.#knowledge?.isAwaited(name) ?? false;
  }

  /**
   * What was received for the file's URL and `mirror` may be about to write: the newest, unless it
   * is what the file itself held; as far as the URL can be told unread.
   */
  received(name: string): Set<string> {
    const url = this.#examined.get(name)?.url ?? urlOfName(name);
    const newest = url === undefined ? undefined : this.#records.newest(url);
    const isOwn = newest?.hash === this.#records.get(this.#directory.pathOf(name))?.hash;
    return new Set(newest && !isOwn ? [versionOf(url!, newest.hash)] : []);
  }

  /** Examines the file if it has come to rest. Failures are told, and are not thrown. */
  async examine(name: string, mark: Mark): Promise<Outcome | Changing> {
    const path = this.#directory.pathOf(name);
    try {
      const status = await readStatus(this.#directory.readablePathOf(name));
      if (!this.#isStill(status, mark) || this.#mayGrow(name, status)) {
        return { fingerprint: status.fingerprint };
      }
      const outcome = status.kind === "file"
        ? await this.#read(name, status, mark)
        : status.kind === "gone"
        ? await this.#gone(name, mark)
        : "ignored";
      this.#options.problems.resolved(path);
      return outcome;
    } catch (error) {
      this.#options.problems.problem(path, {
        text: `Cannot publish '${path}': ${messageOf(error)}`,
      });
      return "failed";
    }
  }

  /** Whether the file is as it was when marked, or has no sign of a change since the event. */
  #isStill(status: FileStatus, mark: Mark): boolean {
    if (status.kind === "other" || status.fingerprint === mark.fingerprint) return true;
    const { clock, settle } = this.#options;
    return mark.fingerprint === undefined && status.kind === "file" &&
      clock.now() - status.touchedAt >= settle;
  }

  /** Whether the file was found half-written a short time ago, and has not changed since. */
  #mayGrow(name: string, status: FileStatus): boolean {
    const found = this.#halfWritten.get(name);
    if (found?.fingerprint !== status.fingerprint) return false;
    return this.#options.clock.elapsed() - found.since < HALF_WRITTEN_FOR;
  }

  async #read(name: string, status: FileStatus, mark: Mark): Promise<Outcome | Changing> {
    this.#knowledge?.forget(name);
    assertFeedSize(status.sizeBytes);
    const readablePath = this.#directory.readablePathOf(name);
    const identity = await identifyFeed(name, readablePath);
    const now = this.#options.clock.now();
    const bytes = await Deno.readFile(readablePath);
    const after = await readStatus(readablePath);
    if (after.fingerprint !== status.fingerprint) return { fingerprint: after.fingerprint };

    const place = await this.#directory.identity();
    const isOtherDirectory = place !== (this.#records.identityOf(this.#directory.path) ?? place);
    const clockOffset = await this.#fileClock.offset();
    const hash = contentHash(bytes);
    // From here on nothing is waited for: another file may stand for the same URL.
    const file = { name, status, identity, bytes, hash, isOtherDirectory, clockOffset };
    const isFirst = !this.#records.isScanned(this.#directory.path);
    const isForeign = this.#isForeign(file);
    const decision = isForeign && this.#options.publishReceived
      ? "publish"
      : this.#decide(file, mark, isFirst);
    if (decision === "publish" && this.#mustWait(file)) return { fingerprint: status.fingerprint };
    // What is in the place of a disk that is not mounted says nothing of the files on it.
    const isPlace = !isOtherDirectory || this.#directory.trusts(place);
    if (isPlace || decision === "publish") this.#carryOut(file, decision, isPlace);
    const { url } = identity;
    const mayRest = isPlace && isReliable(status, now);
    this.#examined.set(name, { url, fingerprint: mayRest ? status.fingerprint : undefined });
    await this.#compare(name, url);
    if (decision === "note" && isForeign && isFirst) return "foreign";
    return decision === "publish" ? "published" : decision === "leave" ? "left" : "unchanged";
  }

  /** Whether the content was received, and this bucket does not know its feed: it came from another one. */
  #isForeign({ hash, identity: { url, origin } }: ReadFile): boolean {
    return this.#records.newest(url) === undefined &&
      receivedTimeOf({ hash, origin }) !== undefined;
  }

  #decide(
    { name, status, identity, hash, isOtherDirectory, clockOffset }: ReadFile,
    mark: Mark,
    isFirst: boolean,
  ) {
    const { url, origin } = identity;
    const now = this.#options.clock.now() + this.#records.clockOffset;
    return decideOnContent({
      hash,
      known: this.#knownFor(name, url),
      origin,
      modifiedAt: status.modifiedAt + clockOffset,
      changedAt: changeTimeOf(status, { isFirst, clockOffset }),
      newest: newestOf(this.#records.newest(url), origin, now),
      hasArrived: mark.received.has(versionOf(url, hash)),
      isOtherDirectory,
    });
  }

  /** What was seen in the file, unless it stood for another feed then. */
  #knownFor(name: string, url: string): KnownFile | undefined {
    const known = this.#records.get(this.#directory.pathOf(name));
    const knownUrl = known?.url ?? this.#examined.get(name)?.url;
    // A program before this one told no URL: when nothing is known of this one, it was another.
    if (knownUrl === undefined) return this.#records.newest(url) ? known : undefined;
    return knownUrl === url ? known : undefined;
  }

  #carryOut(
    { name, identity, bytes, hash }: ReadFile,
    decision: ReturnType<typeof decideOnContent>,
    isPlace: boolean,
  ) {
    const path = this.#directory.pathOf(name);
    const { url } = identity;
    if (decision === "publish") {
      const metadata = metadataFor(identity, hash);
      const update = { url, content: contentFromBytes(bytes), metadata };
      this.#records.publish(path, hash, update, { isNoted: isPlace });
    } else if (decision !== "unchanged" || this.#records.get(path)?.url === undefined) {
      this.#records.note(path, { url, hash, isLeft: decision === "leave" });
    }
  }

  /** Whether the writer of the file may not be done; refuses what is empty. */
  #mustWait({ name, status, bytes }: ReadFile): boolean {
    // Most likely its writer has not come further yet, or failed.
    if (bytes.length === 0) {
      throw new RangeError("it is empty; it is published once it has content");
    }
    const truncation = findTruncation(bytes);
    const found = this.#halfWritten.get(name);
    this.#halfWritten.delete(name);
    if (truncation === undefined) return false;
    if (found?.fingerprint !== status.fingerprint) {
      this.#halfWritten.set(name, {
        fingerprint: status.fingerprint,
        since: this.#options.clock.elapsed(),
      });
      return true;
    }
    this.#options.logger.warn(
      `'${
        this.#directory.pathOf(name)
      }' is published though it seems to be half-written (${truncation}): ` +
        `it has not changed for ${HALF_WRITTEN_FOR / 1000} s. Write beside it and rename`,
    );
    return false;
  }

  async #gone(name: string, mark: Mark): Promise<Outcome | Changing> {
    const path = this.#directory.pathOf(name);
    this.#halfWritten.delete(name);
    const known = this.#records.get(path);
    if (typeof known?.hash !== "string") return "ignored";
    const refusal = await this.guard.refusal(name);
    if (refusal) return refusal;
    const url = await this.#urlOfGone(name);
    const { kind, fingerprint } = await readStatus(this.#directory.readablePathOf(name));
    if (kind !== "gone") return { fingerprint };
    const decision = decideOnRemoval({
      hash: known.hash,
      publishRemovals: this.#publishes(),
      hasOtherFile: this.#examined.others(name, url).length > 0,
      newest: url === undefined ? undefined : this.#records.newest(url),
      hasArrived: url !== undefined && mark.received.has(versionOf(url, null)),
    });
    if (decision === "publish" && url !== undefined) {
      // Who applied something newer, and is replacing the file, learned of it before.
      if (this.#knowledge?.includes(name) === false) return { fingerprint };
      this.#records.publish(path, null, { url, removed: true });
      this.#tellGone(path, url, "published that its feed is removed");
    } else {
      this.#records.note(path, { url, hash: null });
      if (decision === "leave") this.#tellGone(path, url!, "a newer update of its feed is known");
    }
    this.#examined.delete(name);
    this.#options.problems.resolved(filesOf(url));
    if (decision !== "publish") return "unchanged";
    if (url !== undefined) return "removed";
    throw new Error("it is gone, and nothing tells the URL of its feed any more");
  }

  #publishes(): boolean {
    return this.#options.publishRemovals !== false;
  }

  #tellGone(path: string, url: string, what: string): void {
    this.#options.logger.info(`'${path}' is gone: ${what}: ${shownUrl(url)}`);
  }

  /** Warns when other files stand for the same URL: what one publishes takes the place of the others'. */
  async #compare(name: string, url: string): Promise<void> {
    const gone = new Set<string>();
    for (const other of this.#examined.others(name, url)) {
      // One that was renamed just now may not have been missed yet.
      if (!await this.#directory.has(other)) gone.add(other);
    }
    // Asked anew: others were examined meanwhile, and all shall say the same.
    const names = [name, ...this.#examined.others(name, url)].filter((other) => !gone.has(other));
    const { problems } = this.#options;
    if (names.length === 1) return void problems.resolved(filesOf(url));
    const files = names.sort().map((name) => `'${this.#directory.pathOf(name)}'`).join(" and ");
    problems.problem(filesOf(url), {
      text:
        `${files} stand for the same URL ${shownUrl(url)}: keep one of them, each is published ` +
        "when it changes",
    });
  }

  async #urlOfGone(name: string): Promise<string | undefined> {
    const url = this.#examined.get(name)?.url ??
      this.#records.get(this.#directory.pathOf(name))?.url;
    if (url !== undefined) return url;
    const feed = identifyFeed(name, this.#directory.readablePathOf(name));
    return await feed.then(({ url }) => url, () => undefined);
  }
}

/** Subject of problems. */
function filesOf(url: string | undefined): string {
  return `files of ${url}`;
}

function versionOf(url: string, hash: string | null): string {
  return `${hash} ${url}`;
}
