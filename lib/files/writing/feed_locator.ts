/**
 * Finds the file of a directory that an update goes to.
 *
 * @module
 */
import { join } from "node:path";
import { inDirectory } from "../../base/durable_file.ts";
import { systemEnvironment } from "../../base/environment.ts";
import { fileVersion } from "../../base/file_version.ts";
import { feedIdentity } from "../../feed_url.ts";
import { feedOf } from "../feed_directory.ts";
import { identifyFeed } from "../feed_json.ts";
import { FEED_SUFFIX, feedFileName, hashedFileName, urlOfStem } from "../feed_names.ts";

/** The directory is listed again after so long, or ten times as long as listing it took. */
const MIN_LISTING_AGE_MS = 100;

/** The directory at some time. */
interface Listing {
  readonly names: ReadonlySet<string>;
  /** Files that are not named after their URL alone. */
  readonly byUrl: ReadonlyMap<string, string>;
  readonly expires: number;
}

/**
 * The file of a feed is the one that stands for it already, whatever it is called, else one that is named
 * after its URL. If another feed has that name, as on file systems that ignore case, the name has a hash.
 */
export class FeedLocator {
  readonly #directory: string;
  #ignoresCase: boolean | undefined;
  readonly #identified = new Map<string, { version: string; url: string | undefined }>();
  /** Names given to URLs whose files may not be there yet, in lower case. */
  readonly #taken = new Map<string, string>();
  #listing: Promise<Listing> | undefined;
  #expires = 0;

  /**
   * For the directory at this absolute path; `ignoresCase`: its file system does.
   * @default it is tried out
   */
  constructor(directory: string, { ignoresCase }: { readonly ignoresCase?: boolean } = {}) {
    this.#directory = directory;
    this.#ignoresCase = ignoresCase;
  }

  /**
   * Name of the file that the feed at `url` is kept in.
   *
   * @throws {TypeError} when `url` is not an absolute URL.
   */
  async nameOf(url: string): Promise<string> {
    this.#ignoresCase ??= await ignoresCase(this.#directory);
    const plain = feedFileName(url), feed = feedIdentity(url);
    const holder = await this.#holderOf(plain, feed);
    if (holder === feed) return this.#take(plain, feed);
    const { byUrl } = await this.#list();
    // 0.1 publishes, and names files after, URLs as they were written.
    const normalized = URL.canParse(feed) ? feedFileName(feed) : plain;
    for (const other of [byUrl.get(feed), normalized]) {
      if (other !== undefined && other !== plain && await this.#isOf(other, feed)) return other;
    }
    const taken = this.#ignoresCase ? this.#taken.get(plain.toLowerCase()) : undefined;
    const isFree = holder === undefined && (taken === undefined || taken === feed);
    return isFree ? this.#take(plain, feed) : hashedFileName(url);
  }

  #take(name: string, url: string): string {
    if (this.#ignoresCase) this.#taken.set(name.toLowerCase(), url);
    return name;
  }

  /** URL that the file of this name, made from `url`, stands for; undefined when there is none. */
  async #holderOf(name: string, url: string): Promise<string | undefined> {
    const path = join(this.#directory, name);
    const isDescribed = await exists(`${path}.json`);
    if (!isDescribed && !await exists(path)) return undefined;
    const described = isDescribed ? await urlOf(name, path) : undefined;
    if (described !== undefined) return described;
    // Without a `.feed.json` the name decides, as it is spelt in the directory.
    const isOther = this.#ignoresCase && await this.#spelling(name) !== name;
    return isOther ? "" : url;
  }

  async #spelling(name: string): Promise<string> {
    const { names } = await this.#list();
    if (names.has(name)) return name;
    const lower = name.toLowerCase();
    return [...names].find((other) => other.toLowerCase() === lower) ?? name;
  }

  async #isOf(name: string, url: string): Promise<boolean> {
    const path = join(this.#directory, name);
    if (!await exists(path) && !await exists(`${path}.json`)) return false;
    return await urlOf(name, path) === url;
  }

  /** Listings are shared: at the start, each update is of a feed that has no file yet. */
  #list(): Promise<Listing> {
    const { clock } = systemEnvironment;
    if (this.#listing && clock.elapsed() < this.#expires) return this.#listing;
    this.#expires = Infinity;
    const listing = this.#listing = this.#readListing();
    listing.then(({ expires }) => this.#expires = expires, () => this.#expires = 0);
    return listing;
  }

  async #readListing(): Promise<Listing> {
    const { clock } = systemEnvironment;
    const begin = clock.elapsed();
    const names = new Set<string>(), odd = new Set<string>();
    try {
      for await (const { name } of Deno.readDir(this.#directory)) {
        names.add(name);
        const feed = feedOf(name);
        if (feed !== undefined && !isPlain(feed)) odd.add(feed);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const byUrl = new Map<string, string>();
    for (const name of [...odd].sort()) {
      const url = await this.#identify(name);
      if (url !== undefined && !byUrl.has(url)) byUrl.set(url, name);
    }
    const end = clock.elapsed();
    return { names, byUrl, expires: end + Math.max(MIN_LISTING_AGE_MS, 10 * (end - begin)) };
  }

  /** Does not read a `.feed.json` again that is unchanged. */
  async #identify(name: string): Promise<string | undefined> {
    const path = join(this.#directory, name);
    const info = await Deno.stat(`${path}.json`).catch(() => undefined);
    const version = info ? fileVersion(info) : "";
    const known = this.#identified.get(name);
    if (known?.version === version) return known.url;
    const url = await urlOf(name, path);
    this.#identified.set(name, { version, url });
    return url;
  }
}

/** Whether a file of this name is found by its URL alone. */
function isPlain(name: string): boolean {
  const url = urlOfStem(name.slice(0, -FEED_SUFFIX.length));
  return url !== undefined && feedIdentity(url) === url && feedFileName(url) === name;
}

async function urlOf(name: string, path: string): Promise<string | undefined> {
  return await identifyFeed(name, path).then(({ url }) => url, () => undefined);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}

async function ignoresCase(directory: string): Promise<boolean> {
  const name = `.feedsync-${crypto.randomUUID()}.tmp`;
  const path = join(directory, name);
  await inDirectory(directory, () => Deno.writeTextFile(path, ""));
  try {
    return await exists(join(directory, name.toUpperCase()));
  } finally {
    await Deno.remove(path);
  }
}
