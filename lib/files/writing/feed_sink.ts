/**
 * Writes updates to the feed files of a directory, and never over what nobody has looked at yet.
 *
 * @module
 */
import { join } from "node:path";
import { systemEnvironment } from "../../base/environment.ts";
import { messageOf } from "../../errors.ts";
import { feedIdentity } from "../../feed_url.ts";
import type { PluginLogger } from "../../plugin.ts";
import { contentBytes, contentHash, type Update } from "../../update.ts";
import { changeTimeOf, decideOnWrite, type FoundContent, receivedTimeOf } from "../decide.ts";
import { feedFileName, hashedFileName, urlOfName } from "../feed_names.ts";
import { FileClock } from "../file_clock.ts";
import { type CurrentFile, isStill, readCurrentFile } from "../file_status.ts";
import { hidePasswords, hidePasswordsIn } from "../../base/redact.ts";
import { keepAside } from "./keep_aside.ts";
import { type KnownFiles, NO_KNOWN_FILES } from "../known_files.ts";
import { FeedPlaces } from "./feed_locator.ts";
import { formatFeedJson, identifyFeed, isReplaceable } from "../feed_json.ts";
import { MirroredPlace } from "./mirror_directory.ts";
import { type PreparedFile, prepareFile } from "./replace_file.ts";

/** A file that changes so often while it is looked at is left to the next attempt. */
const MOST_LOOKS = 5;

/** What a sink is opened with. */
export interface FeedSinkOptions {
  /** What the server has seen in files. @default nothing */
  readonly known?: KnownFiles;
  /** Where it is told what was kept, and what was left alone. */
  readonly logger: PluginLogger;
}

/** An update, its content, and the file it goes to. */
interface Task {
  readonly update: Update;
  readonly name: string;
  readonly path: string;
  /** Hash of the content; null: the feed is gone. */
  readonly hash: string | null;
  readonly signal: AbortSignal;
}

/** What is at the place of a task, and what to do about it. */
interface Look {
  readonly found: CurrentFile | undefined;
  readonly content?: FoundContent | undefined;
  readonly action: ReturnType<typeof decideOnWrite>;
}

/** A directory of feed files that updates are written to. */
export class FeedSink {
  readonly #directory: string;
  readonly #known: KnownFiles;
  readonly #logger: PluginLogger;
  readonly #places: FeedPlaces;

  readonly #place: MirroredPlace;
  readonly #fileClock: FileClock;

  private constructor(directory: string, { known = NO_KNOWN_FILES, logger }: FeedSinkOptions) {
    this.#directory = directory;
    this.#known = known;
    this.#logger = hidePasswordsIn(logger);
    this.#places = new FeedPlaces(directory);
    this.#place = new MirroredPlace(directory, known);
    this.#fileClock = new FileClock(directory, systemEnvironment.clock, known);
  }

  /**
   * Opens the directory at this absolute path; it is made when it is missing.
   *
   * @throws {BackendUnavailableError} when its disk is full or read-only.
   */
  static async open(directory: string, options: FeedSinkOptions): Promise<FeedSink> {
    const sink = new FeedSink(directory, options);
    await sink.#place.open();
    return sink;
  }

  /**
   * Brings the file of the feed to what the update says, unless something newer is there.
   *
   * @throws {TypeError} when the URL of the update cannot name a file.
   * @throws {BackendUnavailableError} when the disk of the directory seems not to be mounted.
   */
  async apply(update: Update, signal: AbortSignal): Promise<void> {
    await this.#place.check();
    const name = await this.#places.nameOf(update.url);
    const content = contentBytes(update);
    const hash = content === undefined ? null : contentHash(content);
    const path = join(this.#directory, name);
    const task = { update, name, path, hash, signal };
    try {
      await (content === undefined ? this.#remove(task) : this.#write(task, content));
    } catch (cause) {
      signal.throwIfAborted();
      // What Deno says of a full disk names no file.
      const action = content === undefined ? "remove" : "write";
      const message = `Cannot ${action} '${path}': ${messageOf(cause)}`;
      throw new Error(hidePasswords(message), { cause });
    }
  }

  async #write(task: Task, content: Uint8Array): Promise<void> {
    const { update, path, hash } = task;
    const { action, content: former } = await this.#look(task);
    const text = formatFeedJson(update, hash!, action === "write" ? replacedBy(former) : undefined);
    if (action === "leave") return this.#tellLeft(task);
    if (action === "skip") return;
    if (action === "describe" && await textOf(`${path}.json`) === text) return;
    const modes = await Promise.all([`${path}.json`, path].map(modeOf));
    const texts = new TextEncoder().encode(text);
    await using details = await prepareFile(this.#directory, texts, modes[0]);
    await using feed = await prepareFile(this.#directory, content, modes[1]);
    let isDescribed = false;
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const look = await this.#look(task);
      if (look.action === "leave") return this.#tellLeft(task);
      if (look.action === "skip") return;
      await this.#keep(task, look);
      if (!isDescribed) await this.#replaceDetails(task, details);
      isDescribed = true;
      if (look.action === "describe") return;
      if (await this.#replace(task, look.found, feed)) return;
    }
    throw new Error("it keeps changing");
  }

  /** Tells whether the file was still what it was. */
  async #replace({ path, signal }: Task, found: CurrentFile | undefined, feed: PreparedFile) {
    if (found?.info) await feed.take(found.info);
    signal.throwIfAborted();
    if (!await isStill(path, found)) return false;
    await feed.moveTo(path);
    return true;
  }

  async #remove(task: Task): Promise<void> {
    const { path, signal } = task;
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const { found, action } = await this.#look(task);
      if (action === "leave") return this.#tellLeft(task);
      if (action === "skip") return;
      if (found && !found.isFile) throw new Error("it is not a file");
      await this.#keep(task, { found, action });
      signal.throwIfAborted();
      if (found && await isStill(path, found)) await remove(path);
      if (await isStill(path, undefined)) return await this.#removeDetails(task);
    }
    throw new Error("it keeps changing");
  }

  async #look({ name, path, update, hash }: Task): Promise<Look> {
    const found = await readCurrentFile(path);
    // What cannot be a feed file is not replaced: the rename fails, and that is told.
    if (!found?.isFile) return { found, action: "write" };
    const identity = await identifyFeed(name, path).catch(() => undefined);
    const clockOffset = await this.#fileClock.offset();
    const isFirst = !this.#place.wasMirrored && !this.#known.isScanned(this.#directory);
    const content = found.hash === undefined ? undefined : {
      hash: found.hash,
      known: this.#known.get(path),
      origin: identity?.origin,
      newest: this.#known.newest(update.url),
    };
    const action = decideOnWrite({
      found: content,
      changedAt: changeTimeOf(found, { isFirst, clockOffset }),
      update: { time: Date.parse(update.time), hash },
      now: systemEnvironment.clock.now() + this.#known.clockOffset,
    });
    return { found, content, action };
  }

  /** Keeps what nobody has looked at, and links: what is saved where one leads is read no more. */
  async #keep({ path, update: { url } }: Task, { found, action }: Look): Promise<void> {
    const isLink = found?.isFile === true && !found.info;
    if (!found || action === "describe" || action === "write" && !isLink) return;
    const kept = await keepAside(path, new Date());
    if (kept === undefined) return;
    const what = action === "keep"
      ? `'${path}' was changed, and a newer update of ${url} takes its place: what was in it was never ` +
        "published, and"
      : `'${path}' was a symbolic link, and an update of ${url} takes its place: what is saved where it ` +
        "leads is not published any more. The link";
    this.#logger.warn(`${what} is kept as '${kept}'`);
  }

  #tellLeft({ path, update: { url, server, time } }: Task): void {
    this.#logger.warn(
      `'${path}' was changed after the update of ${url} that ${server} published at ${time}: it is left ` +
        "as it is",
    );
  }

  /** Before the file itself, so that whoever watches the directory finds its URL. */
  async #replaceDetails(task: Task, details: PreparedFile): Promise<void> {
    const path = `${task.path}.json`;
    const info = await Deno.lstat(path).catch(() => undefined);
    if (info?.isFile) await details.take(info);
    if (info && !info.isDirectory && !await this.#isOwn(path)) await this.#keepDetails(path);
    task.signal.throwIfAborted();
    await details.moveTo(path);
  }

  async #keepDetails(path: string): Promise<void> {
    const kept = await keepAside(path, new Date());
    if (kept === undefined) return;
    this.#logger.warn(
      `'${path}' was written by somebody else, and now holds what came with the newest update: what was ` +
        `in it is kept as '${kept}'`,
    );
  }

  /**
   * What a person wrote there stays: it names the feed, should it come back. So does the URL, where the
   * person's name of the file does not tell it.
   */
  async #removeDetails({ name, path, update: { url } }: Task): Promise<void> {
    const details = `${path}.json`;
    const info = await Deno.lstat(details).catch(() => undefined);
    if (!info || !await this.#isOwn(details)) return;
    const isTold = urlOfName(name) === feedIdentity(url);
    if (isTold || name === feedFileName(url) || name === hashedFileName(url)) {
      return await remove(details);
    }
    const text = new TextEncoder().encode(JSON.stringify({ url }) + "\n");
    await using naming = await prepareFile(this.#directory, text, await modeOf(details));
    await naming.take(info);
    await naming.moveTo(details);
  }

  async #isOwn(path: string): Promise<boolean> {
    const text = await textOf(path);
    return text !== undefined && isReplaceable(text);
  }
}

/** Rights of the file at the path, which nobody else shall have to what replaces it. */
async function modeOf(path: string): Promise<number | undefined> {
  const { isFile, mode } = await Deno.lstat(path).catch(() => ({ isFile: false, mode: null }));
  return isFile && mode !== null ? mode & 0o666 : undefined;
}

/** What the `.feed.json` says of content that is kept elsewhere, until it is replaced. */
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
