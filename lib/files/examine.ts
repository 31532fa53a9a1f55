/**
 * What is done with one file that changed: read it, decide, and publish or remember.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";
import { messageOf } from "../errors.ts";
import { shownUrl } from "../feed_url.ts";
import type { PluginLogger } from "../plugin.ts";
import { contentHash } from "../update.ts";
import type { OnceLog } from "../base/once_log.ts";
import { findTruncation } from "./completeness.ts";
import { changedAt, decideOnContent, decideOnRemoval } from "./decide.ts";
import { ExaminedFiles } from "./examined.ts";
import type { FeedDirectory } from "./feed_directory.ts";
import type { FileIndex, SeenFile } from "./file_index.ts";
import {
  assertContent,
  assertFeedSize,
  feedContent,
  type FeedIdentity,
  identifyFeed,
  metadataFor,
  urlOfName,
} from "./read_feed.ts";
import { RemovalGuard } from "./removal_guard.ts";
import type { Changing, Mark, Outcome } from "./debounce.ts";
import { isReliable, type Snapshot, takeSnapshot } from "./snapshot.ts";

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
  /** Where problems are told. */
  readonly problems: OnceLog;
  /** Where removals are told. */
  readonly logger: PluginLogger;
}

/** A file as it was read. */
interface ReadFile {
  readonly name: string;
  readonly snapshot: Snapshot;
  readonly identity: FeedIdentity;
  readonly bytes: Uint8Array;
  readonly hash: string;
  /** Whether the directory is not the one in which files were seen before. */
  readonly isElsewhere: boolean;
}

/** Examines the files of one directory, and remembers what it saw to save reading them again. */
export class Examiner {
  readonly #directory: FeedDirectory;
  readonly #index: FileIndex;
  readonly #options: ExaminerOptions;
  readonly #examined = new ExaminedFiles();
  /** Since when files have been as they are, and half-written. */
  readonly #halfWritten = new Map<string, { readonly version: string; readonly since: number }>();
  /** Says which files that are gone were removed. */
  readonly guard: RemovalGuard;

  /** For the files in `directory`. */
  constructor(directory: FeedDirectory, index: FileIndex, options: ExaminerOptions) {
    this.#directory = directory;
    this.#index = index;
    this.#options = options;
    this.guard = new RemovalGuard(directory, index, { ...options, examined: this.#examined });
  }

  /** Whether the file is certainly as it was when it was last examined. */
  isUnchanged(name: string, snapshot: Snapshot): boolean {
    return this.#examined.get(name)?.version === snapshot.version;
  }

  /**
   * What was received for the file's URL and `mirror` may be about to write: the newest, unless it
   * is what the file itself held; as far as the URL can be told unread.
   */
  received(name: string): Set<string> {
    const url = this.#examined.get(name)?.url ?? urlOfName(name);
    const newest = url === undefined ? undefined : this.#index.newest(url);
    const isOwn = newest?.hash === this.#index.get(this.#directory.pathOf(name))?.hash;
    return new Set(newest && !isOwn ? [versionOf(url!, newest.hash)] : []);
  }

  /** Examines the file if it has come to rest. Failures are told, and are not thrown. */
  async examine(name: string, mark: Mark): Promise<Outcome | Changing> {
    const path = this.#directory.pathOf(name);
    try {
      const snapshot = await takeSnapshot(this.#directory.readablePathOf(name));
      if (!this.#isStill(snapshot, mark) || this.#isWaitedFor(name, snapshot)) {
        return { version: snapshot.version };
      }
      const outcome = snapshot.kind === "file"
        ? await this.#read(name, snapshot, mark)
        : snapshot.kind === "gone"
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
  #isStill(snapshot: Snapshot, mark: Mark): boolean {
    if (snapshot.kind === "other" || snapshot.version === mark.version) return true;
    const { clock, settle } = this.#options;
    return mark.version === undefined && snapshot.kind === "file" &&
      clock.now() - snapshot.touched >= settle;
  }

  /** Whether the file was found half-written a short time ago, and has not changed since. */
  #isWaitedFor(name: string, snapshot: Snapshot): boolean {
    const found = this.#halfWritten.get(name);
    if (found?.version !== snapshot.version) return false;
    return this.#options.clock.elapsed() - found.since < HALF_WRITTEN_FOR;
  }

  async #read(name: string, snapshot: Snapshot, mark: Mark): Promise<Outcome | Changing> {
    assertFeedSize(snapshot.size);
    const readablePath = this.#directory.readablePathOf(name);
    const identity = await identifyFeed(name, readablePath);
    const now = this.#options.clock.now();
    const bytes = await Deno.readFile(readablePath);
    const after = await takeSnapshot(readablePath);
    if (after.version !== snapshot.version) return { version: after.version };

    const place = await this.#directory.identity();
    const isElsewhere = place !== (this.#index.identityOf(this.#directory.path) ?? place);
    const file = { name, snapshot, identity, bytes, hash: contentHash(bytes), isElsewhere };
    const decision = this.#decide(file, mark);
    if (decision === "publish" && this.#mustWait(file)) return { version: snapshot.version };
    // What is in the place of a disk that is not mounted says nothing of the files on it.
    const isPlace = !isElsewhere || this.#directory.trusts(place);
    if (isPlace || decision === "publish") this.#carryOut(file, decision);
    const { url } = identity;
    const mayRest = isPlace && isReliable(snapshot, now);
    this.#examined.set(name, { url, version: mayRest ? snapshot.version : undefined });
    await this.#compare(name, url);
    return decision === "publish" ? "published" : decision === "leave" ? "left" : "unchanged";
  }

  #decide({ name, snapshot, identity, hash, isElsewhere }: ReadFile, mark: Mark) {
    const { url, origin } = identity;
    const { clockOffset } = this.#index;
    const isFirst = !this.#index.isScanned(this.#directory.path);
    return decideOnContent({
      hash,
      known: this.#knownFor(name, url),
      origin,
      modified: snapshot.modified + clockOffset,
      changed: changedAt(snapshot, { isFirst, clockOffset }),
      newest: this.#index.newest(url),
      arrived: mark.received.has(versionOf(url, hash)),
      isElsewhere,
    });
  }

  /** What was seen in the file, unless it stood for another feed then. */
  #knownFor(name: string, url: string): SeenFile | undefined {
    const known = this.#index.get(this.#directory.pathOf(name));
    const knownUrl = known?.url ?? this.#examined.get(name)?.url;
    // A program before this one told no URL: when nothing is known of this one, it was another.
    if (knownUrl === undefined) return this.#index.newest(url) ? known : undefined;
    return knownUrl === url ? known : undefined;
  }

  #carryOut(
    { name, identity, bytes, hash }: ReadFile,
    decision: ReturnType<typeof decideOnContent>,
  ) {
    const path = this.#directory.pathOf(name);
    const { url } = identity;
    if (decision === "publish") {
      const metadata = metadataFor(identity, hash);
      this.#index.publish(path, hash, { url, content: feedContent(bytes), metadata });
    } else if (decision !== "unchanged" || this.#index.get(path)?.url === undefined) {
      this.#index.note(path, { url, hash, isLeft: decision === "leave" });
    }
  }

  /** Whether the writer of the file may not be done; refuses what is empty. */
  #mustWait({ name, snapshot, bytes }: ReadFile): boolean {
    assertContent(bytes);
    const truncation = findTruncation(bytes);
    const found = this.#halfWritten.get(name);
    this.#halfWritten.delete(name);
    if (truncation === undefined) return false;
    if (found?.version !== snapshot.version) {
      this.#halfWritten.set(name, {
        version: snapshot.version,
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
    if (typeof this.#index.get(path)?.hash !== "string") return "ignored";
    if (!await this.guard.allows(name)) return "ignored";
    const url = await this.#urlOfGone(name);
    const { kind, version } = await takeSnapshot(this.#directory.readablePathOf(name));
    if (kind !== "gone") return { version };
    const decision = decideOnRemoval({
      publishRemovals: this.#options.publishRemovals !== false,
      elsewhere: this.#examined.others(name, url).length > 0,
      newest: url === undefined ? undefined : this.#index.newest(url),
      received: url !== undefined && mark.received.has(versionOf(url, null)),
    });
    if (decision === "publish" && url !== undefined) {
      this.#index.publish(path, null, { url, removed: true });
      this.#options.logger.info(`'${path}' is gone: published that its feed ${url} is removed`);
    } else {
      this.#index.note(path, { url, hash: null });
    }
    this.#examined.delete(name);
    this.#options.problems.resolved(filesOf(url));
    if (decision === "note") return "unchanged";
    if (url !== undefined) return "removed";
    throw new Error("it is gone, and nothing tells the URL of its feed any more");
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
      text: `${files} stand for the same URL ${
        shownUrl(url)
      }: keep one of them, each is published when it changes`,
    });
  }

  async #urlOfGone(name: string): Promise<string | undefined> {
    const url = this.#examined.get(name)?.url ??
      this.#index.get(this.#directory.pathOf(name))?.url;
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
