/**
 * The directory with the feed files.
 *
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../errors.ts";
import { FEED_SUFFIX } from "./feed_names.ts";
import { isDoubtful, RawNames } from "./non_utf8_names.ts";

/** Names that could not be read. */
export interface ListingProblem {
  /** What went wrong. */
  readonly message: string;
  /** Whether the file may be there nevertheless. */
  isAbout(name: string): boolean;
}

/** What is in the directory. */
export interface Listing {
  /** Names of the feed files. */
  readonly feeds: ReadonlySet<string>;
  /** Names of the feed files that have a `.feed.json` beside them. */
  readonly withDetails: ReadonlySet<string>;
  /** Why names that are not UTF-8 are missing, when there are any and they could not be read. */
  readonly problem?: ListingProblem;
}

/** Files are feeds by name: `NAME.feed`, directly in the directory, not hidden. */
export class FeedDirectory implements AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;
  readonly #rawNames: RawNames;
  #trusted: string | undefined;

  /** For the directory at this absolute path, which need not be there. */
  constructor(path: string) {
    this.path = path;
    this.#rawNames = new RawNames(path);
  }

  /** The path by which the state knows the file. */
  pathOf(name: string): string {
    return join(this.path, name);
  }

  /** The path by which the file can be read: another one when its name is not UTF-8. */
  readablePathOf(name: string): string {
    return this.#rawNames.linkTo(name) ?? this.pathOf(name);
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

  /** Lists the directory; throws when that fails. */
  async list(): Promise<Listing> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(this.path)) names.push(name);
    if (!names.some((name) => isDoubtful(name) && feedOf(name))) {
      await this.#rawNames.clear();
      return listingOf(names);
    }
    try {
      return listingOf(await this.#rawNames.list(FEED_SUFFIX));
    } catch (error) {
      const message = `Cannot read the files in '${this.path}' whose names are not UTF-8: ` +
        messageOf(error);
      const listing = listingOf(names.filter((name) => !isDoubtful(name)));
      return { ...listing, problem: { message, isAbout: isDoubtful } };
    }
  }

  /** Gives up what was made to read names that are not UTF-8. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rawNames.clear();
  }
}

/** Which directory is at the path; undefined: none. */
export async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { isDirectory, dev, ino, birthtime } = await Deno.stat(path);
    // File systems give the number of a deleted directory to the next one.
    return isDirectory ? `${dev}:${ino}:${Number(birthtime)}` : undefined;
  } catch {
    return undefined;
  }
}

/** The feed file that a change of the file called `name` is about; undefined when about none. */
export function feedOf(name: string): string | undefined {
  if (name.startsWith(".")) return undefined;
  const feed = name.endsWith(".json") ? name.slice(0, -".json".length) : name;
  return feed.endsWith(FEED_SUFFIX) ? feed : undefined;
}

function listingOf(names: readonly string[]): Listing {
  const feeds = new Set<string>(), withDetails = new Set<string>();
  for (const name of names) {
    const feed = feedOf(name);
    if (feed !== undefined) (feed === name ? feeds : withDetails).add(feed);
  }
  return { feeds, withDetails };
}
