/**
 * Writes updates to the feed files of a directory, and never over what nobody has read yet.
 *
 * @module
 */
import { join } from "node:path";
import { systemEnvironment } from "../../base/environment.ts";
import { hidePasswords, hidePasswordsIn } from "../../base/redact.ts";
import { messageOf } from "../../errors.ts";
import { feedIdentity } from "../../feed_url.ts";
import type { PluginLogger } from "../../plugin.ts";
import { contentBytes, contentHash, type Update } from "../../update.ts";
import { changeTimeOf, decideOnWrite, type FoundContent, receivedTimeOf } from "../decide.ts";
import { describes, formatFeedJson, identifyFeed, isReplaceable } from "../feed_json.ts";
import { feedFileName, hashedFileName, urlOfName } from "../feed_names.ts";
import { FileClock } from "../file_clock.ts";
import { type CurrentFile, isStill, readCurrentFile } from "../file_status.ts";
import { type KnownFiles, NO_KNOWN_FILES } from "../../known_files.ts";
import { FeedLocator } from "./feed_locator.ts";
import { MirrorDirectory } from "./mirror_directory.ts";
import { keepCopy, type PreparedFile, prepareFile } from "./replace_file.ts";

/** A file that changes again and again while it is being replaced is left to the next call. */
const MAX_ATTEMPTS = 5;

/** What a sink is opened with. */
export interface FeedSinkOptions {
  /** What the server has seen in files. @default nothing */
  readonly known?: KnownFiles;
  /** Logs what was kept, and what was left alone. */
  readonly logger: PluginLogger;
}

/** An update, and the file it goes to. */
interface Task {
  readonly update: Update;
  readonly name: string;
  readonly path: string;
  /** Hash of the update's content; null: the feed is gone. */
  readonly hash: string | null;
  readonly signal: AbortSignal;
}

/** What is at the path of a task, and what to do about it. */
interface Inspection {
  readonly current: CurrentFile | undefined;
  readonly content?: FoundContent | undefined;
  readonly action: ReturnType<typeof decideOnWrite>;
}

/** A directory of feed files that updates are written to. */
export class FeedSink {
  readonly #path: string;
  readonly #known: KnownFiles;
  readonly #logger: PluginLogger;
  readonly #locator: FeedLocator;
  readonly #directory: MirrorDirectory;
  readonly #fileClock: FileClock;

  private constructor(directory: string, { known = NO_KNOWN_FILES, logger }: FeedSinkOptions) {
    this.#path = directory;
    this.#known = known;
    this.#logger = hidePasswordsIn(logger);
    this.#locator = new FeedLocator(directory);
    this.#directory = new MirrorDirectory(directory, known);
    this.#fileClock = new FileClock(directory, systemEnvironment.clock, known);
  }

  /**
   * Opens the directory at this absolute path; makes it when it is missing.
   *
   * @throws {BackendUnavailableError} when its disk is full or read-only.
   */
  static async open(directory: string, options: FeedSinkOptions): Promise<FeedSink> {
    const sink = new FeedSink(directory, options);
    await sink.#directory.open();
    return sink;
  }

  /**
   * Brings the file of the feed to what the update says, unless something newer is there.
   *
   * @throws {TypeError} when the URL of the update cannot name a file.
   * @throws {BackendUnavailableError} when the disk of the directory seems not to be mounted.
   */
  async apply(update: Update, signal: AbortSignal): Promise<void> {
    await this.#directory.assertSame();
    const name = await this.#locator.nameOf(update.url);
    const content = contentBytes(update);
    const hash = content === undefined ? null : contentHash(content);
    const path = join(this.#path, name);
    const task = { update, name, path, hash, signal };
    try {
      await (content === undefined ? this.#remove(task) : this.#write(task, content));
    } catch (cause) {
      signal.throwIfAborted();
      // Deno's error for a full disk names no file.
      const action = content === undefined ? "remove" : "write";
      const message = `Cannot ${action} '${path}': ${messageOf(cause)}`;
      throw new Error(hidePasswords(message), { cause });
    }
  }

  /** The files are prepared first: between the last inspection and the rename nothing slow may happen. */
  async #write(task: Task, content: Uint8Array): Promise<void> {
    const { update, path, hash } = task;
    const { action, content: former } = await this.#inspect(task);
    const text = formatFeedJson(update, hash!, action === "write" ? replacedBy(former) : undefined);
    if (action === "leave") return this.#logLeft(task);
    if (action === "skip") return;
    if (action === "describe" && describes(await textOf(`${path}.json`) ?? "", update, hash!)) {
      return;
    }
    const modes = await Promise.all([`${path}.json`, path].map(modeOf));
    const texts = new TextEncoder().encode(text);
    await using feedJson = await prepareFile(this.#path, texts, modes[0]);
    await using feed = await prepareFile(this.#path, content, modes[1]);
    let isDescribed = false;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const inspection = await this.#inspect(task);
      if (inspection.action === "leave") return this.#logLeft(task);
      if (inspection.action === "skip") return;
      await this.#keep(task, inspection);
      if (!isDescribed) await this.#replaceFeedJson(task, feedJson);
      isDescribed = true;
      if (inspection.action === "describe") return;
      if (await this.#replace(task, inspection.current, feed)) return;
    }
    throw new Error("it keeps changing");
  }

  /** Resolves to whether the file was still what it was. */
  async #replace({ path, signal }: Task, current: CurrentFile | undefined, feed: PreparedFile) {
    if (current?.info) await feed.copyRights(current.info);
    signal.throwIfAborted();
    if (!await isStill(path, current)) return false;
    await feed.moveTo(path);
    return true;
  }

  async #remove(task: Task): Promise<void> {
    const { path, signal } = task;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const { current, action } = await this.#inspect(task);
      if (action === "leave") return this.#logLeft(task);
      if (action === "skip") return;
      if (current && !current.isFile) throw new Error("it is not a file");
      await this.#keep(task, { current, action });
      signal.throwIfAborted();
      if (current && await isStill(path, current)) await remove(path);
      if (await isStill(path, undefined)) return await this.#removeFeedJson(task);
    }
    throw new Error("it keeps changing");
  }

  async #inspect({ name, path, update, hash }: Task): Promise<Inspection> {
    const current = await readCurrentFile(path);
    // What cannot be a feed file is not replaced: the rename fails, with an error that says so.
    if (!current?.isFile) return { current, action: "write" };
    const identified = await identifyFeed(name, path).catch(() => undefined);
    const clockOffset = await this.#fileClock.offset();
    const isFirst = !this.#directory.wasMirrored && !this.#known.isScanned(this.#path);
    const content = current.hash === undefined ? undefined : {
      hash: current.hash,
      known: this.#known.get(path),
      origin: identified?.origin,
      newest: this.#known.newest(update.url),
    };
    const action = decideOnWrite({
      found: content,
      changedAt: changeTimeOf(current, { isFirst, clockOffset }),
      update: { time: Date.parse(update.time), hash },
      now: systemEnvironment.clock.now() + this.#known.clockOffset,
    });
    return { current, content, action };
  }

  /** Keeps what nobody has read, and links: what is saved where one leads is not read any more. */
  async #keep({ path, update: { url } }: Task, { current, action }: Inspection): Promise<void> {
    const isLink = current?.isFile === true && !current.info;
    if (!current || action === "describe" || action === "write" && !isLink) return;
    const kept = await keepCopy(path, new Date());
    if (kept === undefined) return;
    const what = action === "keep"
      ? `'${path}' was changed, and a newer update of ${url} takes its place: what was in it was never ` +
        "published, and"
      : `'${path}' was a symbolic link, and an update of ${url} takes its place: what is saved where it ` +
        "leads is not published any more. The link";
    this.#logger.warn(`${what} is kept as '${kept}'`);
  }

  #logLeft({ path, update: { url, server, time } }: Task): void {
    this.#logger.warn(
      `'${path}' was changed after the update of ${url} that ${server} published at ${time}: it is left ` +
        "as it is",
    );
  }

  /** Before the file itself, so that whoever watches the directory finds its URL. */
  async #replaceFeedJson(task: Task, feedJson: PreparedFile): Promise<void> {
    const path = `${task.path}.json`;
    const info = await Deno.lstat(path).catch(() => undefined);
    if (info?.isFile) await feedJson.copyRights(info);
    if (info && !info.isDirectory && !await isReplaceableAt(path)) await this.#keepFeedJson(path);
    task.signal.throwIfAborted();
    await feedJson.moveTo(path);
  }

  async #keepFeedJson(path: string): Promise<void> {
    const kept = await keepCopy(path, new Date());
    if (kept === undefined) return;
    this.#logger.warn(
      `'${path}' had been edited; it is being replaced for the newest update, and its previous ` +
        `content is kept as '${kept}'`,
    );
  }

  /**
   * What a person wrote there stays: it names the feed, should it come back. So does the URL, if a person
   * has named the file and the name does not say it.
   */
  async #removeFeedJson({ name, path, update: { url } }: Task): Promise<void> {
    const feedJson = `${path}.json`;
    const info = await Deno.lstat(feedJson).catch(() => undefined);
    if (!info || !await isReplaceableAt(feedJson)) return;
    const isTold = urlOfName(name) === feedIdentity(url);
    if (isTold || name === feedFileName(url) || name === hashedFileName(url)) {
      return await remove(feedJson);
    }
    const text = new TextEncoder().encode(JSON.stringify({ url }) + "\n");
    await using naming = await prepareFile(this.#path, text, await modeOf(feedJson));
    await naming.copyRights(info);
    await naming.moveTo(feedJson);
  }
}

async function isReplaceableAt(path: string): Promise<boolean> {
  const text = await textOf(path);
  return text !== undefined && isReplaceable(text);
}

/** Who may access the file at the path: from the start, nobody else may access what replaces it. */
async function modeOf(path: string): Promise<number | undefined> {
  const { isFile, mode } = await Deno.lstat(path).catch(() => ({ isFile: false, mode: null }));
  return isFile && mode !== null ? mode & 0o666 : undefined;
}

/** What the `.feed.json` says of content that updates hold, until it is replaced. */
function replacedBy(content: FoundContent | undefined) {
  if (!content) return undefined;
  const time = receivedTimeOf(content) ?? content.known?.publishedAt ?? 0;
  return { time, hash: content.hash };
}

async function textOf(path: string): Promise<string | undefined> {
  return await Deno.readTextFile(path).catch(() => undefined);
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
