/**
 * What is done with one file that changed: read it, decide, and publish or remember.
 *
 * @module
 */
import type { Clock } from "../environment.ts";
import { messageOf } from "../errors.ts";
import { shownUrl } from "../feed_url.ts";
import { contentHash } from "../update.ts";
import type { Complaints } from "./complaints.ts";
import { decideOnContent, decideOnRemoval } from "./decide.ts";
import { ExaminedFiles } from "./examined.ts";
import type { FeedDirectory } from "./feed_directory.ts";
import type { FileLedger } from "./ledger.ts";
import {
  assertContent,
  assertFeedSize,
  feedContent,
  identifyFeed,
  urlOfName,
} from "./read_feed.ts";
import type { Changing, Mark, Outcome } from "./settling.ts";
import { isReliable, type Stamp, takeStamp } from "./stamp.ts";

/** What examining files is done with. */
export interface ExaminerOptions {
  /** Tells how long ago a file was modified. */
  readonly clock: Clock;
  /** Milliseconds without a change after which a file is taken to be complete. */
  readonly settle: number;
  /** Whether the removal of a file is published. */
  readonly publishRemovals: boolean;
  /** Where problems are told. */
  readonly complaints: Complaints;
}

/** Examines the files of one directory, and remembers what it saw to save reading them again. */
export class Examiner {
  readonly #directory: FeedDirectory;
  readonly #ledger: FileLedger;
  readonly #options: ExaminerOptions;
  readonly #examined = new ExaminedFiles();

  /** For the files in `directory`. */
  constructor(directory: FeedDirectory, ledger: FileLedger, options: ExaminerOptions) {
    this.#directory = directory;
    this.#ledger = ledger;
    this.#options = options;
  }

  /** Whether the file is certainly as it was when it was last examined. */
  isUnchanged(name: string, stamp: Stamp): boolean {
    return this.#examined.get(name)?.stamp === stamp.key;
  }

  /**
   * What was received for the file's URL and `mirror` may be about to write: the newest, unless it
   * is what the file itself held; as far as the URL can be told unread.
   */
  received(name: string): Set<string> {
    const url = this.#examined.get(name)?.url ?? urlOfName(name);
    const newest = url === undefined ? undefined : this.#ledger.newest(url);
    const isOwn = newest?.hash === this.#ledger.seen(this.#directory.pathOf(name));
    return new Set(newest && !isOwn ? [versionOf(url!, newest.hash)] : []);
  }

  /** Examines the file if it has come to rest. Failures are told, and are not thrown. */
  async examine(name: string, mark: Mark): Promise<Outcome | Changing> {
    const path = this.#directory.pathOf(name);
    try {
      const stamp = await takeStamp(this.#directory.readablePathOf(name));
      if (!this.#isStill(stamp, mark)) return { stamp: stamp.key };
      const outcome = stamp.kind === "file"
        ? await this.#read(name, stamp, mark)
        : stamp.kind === "gone"
        ? await this.#gone(name, mark)
        : "ignored";
      this.#options.complaints.resolved(path);
      return outcome;
    } catch (error) {
      this.#options.complaints.about(path, `Cannot publish '${path}': ${messageOf(error)}`);
      return "failed";
    }
  }

  /** Whether the file is as it was when marked, or has no sign of a change since the event. */
  #isStill(stamp: Stamp, mark: Mark): boolean {
    if (stamp.kind === "other" || stamp.key === mark.stamp) return true;
    const { clock, settle } = this.#options;
    return mark.stamp === undefined && stamp.kind === "file" &&
      clock.now() - stamp.touched >= settle;
  }

  async #read(name: string, stamp: Stamp, mark: Mark): Promise<Outcome | Changing> {
    assertFeedSize(stamp.size);
    const readablePath = this.#directory.readablePathOf(name);
    const { url, metadata } = await identifyFeed(name, readablePath);
    const now = this.#options.clock.now();
    const bytes = await Deno.readFile(readablePath);
    const after = await takeStamp(readablePath);
    if (after.key !== stamp.key) return { stamp: after.key };

    const path = this.#directory.pathOf(name);
    const hash = contentHash(bytes);
    const sameUrl = (this.#examined.get(name)?.url ?? url) === url;
    const decision = decideOnContent({
      hash,
      modified: stamp.modified,
      seen: sameUrl ? this.#ledger.seen(path) : undefined,
      newest: this.#ledger.newest(url),
      received: mark.received.has(versionOf(url, hash)),
    });
    if (decision === "publish") {
      assertContent(bytes);
      this.#ledger.publish(path, hash, { url, content: feedContent(bytes), metadata });
    } else if (decision === "note") {
      this.#ledger.note(path, hash);
    }
    this.#examined.set(name, { url, stamp: isReliable(stamp, now) ? stamp.key : undefined });
    await this.#compare(name, url);
    return decision === "publish" ? "published" : "unchanged";
  }

  async #gone(name: string, mark: Mark): Promise<Outcome> {
    const path = this.#directory.pathOf(name);
    if (typeof this.#ledger.seen(path) !== "string") return "ignored";
    if (!this.#directory.trusts(await this.#directory.identity())) return "ignored";
    const url = await this.#urlOfGone(name);
    const decision = decideOnRemoval({
      publishRemovals: this.#options.publishRemovals,
      elsewhere: this.#examined.others(name, url).length > 0,
      newest: url === undefined ? undefined : this.#ledger.newest(url),
      received: url !== undefined && mark.received.has(versionOf(url, null)),
    });
    if (decision === "publish" && url !== undefined) {
      this.#ledger.publish(path, null, { url, removed: true });
    } else {
      this.#ledger.note(path, null);
    }
    this.#examined.delete(name);
    this.#options.complaints.resolved(filesOf(url));
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
    const { complaints } = this.#options;
    if (names.length === 1) return void complaints.resolved(filesOf(url));
    const files = names.sort().map((name) => `'${this.#directory.pathOf(name)}'`).join(" and ");
    complaints.about(
      filesOf(url),
      `${files} stand for the same URL ${
        shownUrl(url)
      }: keep one of them, each is published when it changes`,
    );
  }

  async #urlOfGone(name: string): Promise<string | undefined> {
    const examined = this.#examined.get(name);
    if (examined) return examined.url;
    const feed = identifyFeed(name, this.#directory.readablePathOf(name));
    return await feed.then(({ url }) => url, () => undefined);
  }
}

/** Subject of complaints. */
function filesOf(url: string | undefined): string {
  return `files of ${url}`;
}

function versionOf(url: string, hash: string | null): string {
  return `${hash} ${url}`;
}
