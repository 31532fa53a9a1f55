/**
 * Whether the directory that is written to is the one that was written to before: in the place of a disk
 * that is not mounted updates would be lost.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { BackendUnavailableError, messageOf } from "../../errors.ts";
import { feedOf, identityOf } from "../feed_directory.ts";
import type { KnownFiles } from "../known_files.ts";
import { MOST_REMOVED_PART } from "../watching/removal_guard.ts";
import { removeLeftovers } from "./replace_file.ts";

/** By a file of this name a person says that the directory takes the place of the former one. */
const ANEW = ".feedsync-new";

/** What a person has to mend in the configuration. */
const MISTAKES = [
  Deno.errors.AlreadyExists,
  Deno.errors.NotADirectory,
  Deno.errors.NotCapable,
  Deno.errors.PermissionDenied,
];

/** The place of a directory that updates are written to. */
export class MirroredPlace {
  readonly #directory: string;
  readonly #known: KnownFiles;
  /** Whether an earlier run wrote to it. */
  readonly wasMirrored: boolean;

  /** For the directory at this absolute path. */
  constructor(directory: string, known: KnownFiles) {
    this.#directory = directory;
    this.#known = known;
    this.wasMirrored = known.mirrored(directory) !== undefined;
  }

  /** Makes the directory, unless it was there before. */
  async open(): Promise<void> {
    try {
      if (!this.wasMirrored) await Deno.mkdir(this.#directory, { recursive: true });
      await removeLeftovers(this.#directory);
    } catch (cause) {
      if (this.wasMirrored && cause instanceof Deno.errors.NotFound) return;
      if (MISTAKES.some((kind) => cause instanceof kind)) throw cause;
      const message = `Cannot use the directory '${this.#directory}': ${messageOf(cause)}`;
      throw new BackendUnavailableError(message, { cause });
    }
  }

  /** @throws {BackendUnavailableError} when it may be another directory. */
  async check(): Promise<void> {
    const mirrored = this.#known.mirrored(this.#directory);
    const identity = await identityOf(this.#directory);
    if (identity !== undefined && identity === mirrored) return;
    const former = mirrored ?? this.#known.identityOf(this.#directory);
    const mayDiffer = former !== undefined && former !== identity;
    const difference = mayDiffer ? await this.#difference(identity) : undefined;
    if (difference !== undefined) {
      throw new BackendUnavailableError(
        `The directory '${this.#directory}' ${difference}: updates wait until its disk is mounted. If ` +
          `it is to be filled anew, put an empty file '${ANEW}' into it`,
      );
    }
    await Deno.remove(join(this.#directory, ANEW)).catch(() => {});
    if (identity !== undefined) this.#known.noteMirrored(this.#directory, identity);
  }

  /** How it differs from the former directory; undefined when it can be the same. */
  async #difference(identity: string | undefined): Promise<string | undefined> {
    if (identity === undefined) return "is not there";
    const names = new Set<string>();
    for await (const { name } of Deno.readDir(this.#directory)) names.add(name);
    if (names.has(ANEW)) return undefined;
    if (![...names].some(feedOf)) return "is empty, and was not before";
    const seen = this.#known.seenIn(this.#directory)
      .filter((path) => dirname(path) === this.#directory);
    const missing = seen.filter((path) => !names.has(basename(path)));
    if (missing.length <= seen.length * MOST_REMOVED_PART) return undefined;
    return `is another one than before, and ${missing.length} files that were seen are not in it`;
  }
}
