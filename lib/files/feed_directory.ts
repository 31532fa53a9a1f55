/**
 * The directory with the feed files.
 *
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../errors.ts";
import { FEED_SUFFIX } from "./feed_names.ts";
import { mayBeEscaped, NonUtf8Names } from "./non_utf8_names.ts";

/** Some names could not be read. */
export interface ListingProblem {
  /** What went wrong, for the log. */
  readonly message: string;
  /** Whether the file may be there nevertheless. */
  isAbout(name: string): boolean;
}

/** What is in the directory. */
export interface Listing {
  /** Names of the feed files. */
  readonly feeds: ReadonlySet<string>;
  /** Names of the feed files that have a `.feed.json` beside them. */
  readonly described: ReadonlySet<string>;
  /** Why names that are not UTF-8 are missing, if they are. */
  readonly problem?: ListingProblem;
}

/** Feeds are the files called `NAME.feed`, directly in the directory, that are not hidden. */
export class FeedDirectory implements AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;
  readonly #nonUtf8Names: NonUtf8Names;
  #trusted: string | undefined;

  /** For the directory at this absolute path, which need not be there. */
  constructor(path: string) {
    this.path = path;
    this.#nonUtf8Names = new NonUtf8Names(path);
  }

  /** The path by which the state knows the file. */
  pathOf(name: string): string {
    return join(this.path, name);
  }

  /** The path by which the file can be read: another one when its name is not UTF-8. */
  readablePathOf(name: string): string {
    return this.#nonUtf8Names.linkTo(name) ?? this.pathOf(name);
  }

  /** Whether the file is there. */
  async has(name: string): Promise<boolean> {
    return await Deno.stat(this.readablePathOf(name)).then(({ isFile }) => isFile, () => false);
  }

  /** Which directory is at the path: another one when it was deleted and made again; undefined: none. */
  identity(): Promise<string | undefined> {
    return identityOf(this.path);
  }

  /** From now on files missing from the directory with this identity are gone. */
  trust(identity: string | undefined): void {
    this.#trusted = identity;
  }

  /** Whether the directory with this identity is the trusted one: neither deleted nor unmounted. */
  trusts(identity: string | undefined): boolean {
    return identity !== undefined && identity === this.#trusted;
  }

  /** @throws {Error} when the directory cannot be listed. */
  async list(): Promise<Listing> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(this.path)) names.push(name);
    if (!names.some((name) => mayBeEscaped(name) && feedOf(name))) {
      await this.#nonUtf8Names.clear();
      return listingOf(names);
    }
    try {
      return listingOf(await this.#nonUtf8Names.list(FEED_SUFFIX));
    } catch (error) {
      const message = `Cannot read the files in '${this.path}' whose names are not UTF-8: ` +
        messageOf(error);
      const listing = listingOf(names.filter((name) => !mayBeEscaped(name)));
      return { ...listing, problem: { message, isAbout: mayBeEscaped } };
    }
  }

  /** Removes what was made to read files whose names are not UTF-8. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nonUtf8Names.clear();
  }
}

/** Which directory is at the path; undefined: none. */
export async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { isDirectory, dev, ino, birthtime } = await Deno.stat(path);
    // File systems reuse the inode of a deleted directory.
    return isDirectory ? `${dev}:${ino}:${Number(birthtime)}` : undefined;
  } catch {
    return undefined;
  }
}

/** The feed file that the file called `name` belongs to: itself, or the one that it describes. */
export function feedOf(name: string): string | undefined {
  if (name.startsWith(".")) return undefined;
  const feed = name.endsWith(".json") ? name.slice(0, -".json".length) : name;
  return feed.endsWith(FEED_SUFFIX) ? feed : undefined;
}

function listingOf(names: readonly string[]): Listing {
  const feeds = new Set<string>(), described = new Set<string>();
  for (const name of names) {
    const feed = feedOf(name);
    if (feed !== undefined) (feed === name ? feeds : described).add(feed);
  }
  return { feeds, described };
}
