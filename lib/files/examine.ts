/**
 * Handles one file that changed: reads it, decides, and publishes or remembers it.
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

/** How long a file must be unchanged before truncated content is published. */
export const HALF_WRITTEN_WAIT_MS = 10_000;

/** Options of {@linkcode Examiner}. */
export interface ExaminerOptions {
  /** Measures how long ago a file was modified. */
  readonly clock: Clock;
  /** Time without a change after which a file is taken as complete, in milliseconds. */
  readonly settle: number;
  /** Whether the removal of a file is published; `all`: however many are gone at once. */
  readonly publishRemovals: boolean | "all";
  /** Logs problems. */
  readonly problems: OnceLog;
  /** Logs removals. */
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
  /** Half-written files, and when each was found in that version. */
  readonly #halfWritten = new Map<string, { readonly version: string; readonly since: number }>();
  /** Decides which of the files that are gone were removed. */
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
   * What was received for the file's URL and `mirror` may be about to write: the newest update, unless
   * the file held it already; as far as the URL is known without reading the file.
   */
  received(name: string): Set<string> {
    const url = this.#examined.get(name)?.url ?? urlOfName(name);
    const newest = url === undefined ? undefined : this.#index.newest(url);
    const isOwn = newest?.hash === this.#index.get(this.#directory.pathOf(name))?.hash;
    return new Set(newest && !isOwn ? [versionOf(url!, newest.hash)] : []);
  }

  /** Examines the file if it has stopped changing. Failures are logged, not thrown. */
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

  /** Whether the file was found half-written a short time ago and has not changed since. */
  #isWaitedFor(name: string, snapshot: Snapshot): boolean {
    const found = this.#halfWritten.get(name);
    if (found?.version !== snapshot.version) return false;
    return this.#options.clock.elapsed() - found.since < HALF_WRITTEN_WAIT_MS;
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
    // The mount point of a disk that is not mounted says nothing about the files on the disk.
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
    // Version 0.1 kept no URL: when nothing is known of this one, it was another.
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

  /** Whether the file may still be written; refuses an empty one. */
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
      }' was published though it seems to be half-written (${truncation}): ` +
        `it has not changed for ${
          HALF_WRITTEN_WAIT_MS / 1000
        } s. Write to another file and rename that`,
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
    throw new Error("it is gone, and the URL of its feed is unknown");
  }

  /** Warns when several files stand for one URL: each replaces what the others published. */
  async #compare(name: string, url: string): Promise<void> {
    const gone = new Set<string>();
    for (const other of this.#examined.others(name, url)) {
      // A file that was just renamed may not be known as missing yet.
      if (!await this.#directory.has(other)) gone.add(other);
    }
    // Asked again: others were examined meanwhile, and all must log the same.
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

/** Subject of the problem that several files stand for one URL. */
function filesOf(url: string | undefined): string {
  return `files of ${url}`;
}

function versionOf(url: string, hash: string | null): string {
  return `${hash} ${url}`;
}
