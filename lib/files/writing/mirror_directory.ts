/**
 * Makes sure that the directory that is written to is the one that was written to before: where its disk
 * is not mounted, updates would be lost.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { BackendUnavailableError, messageOf } from "../../errors.ts";
import { MAX_MISSING_PART } from "../decide.ts";
import { feedOf, identityOf } from "../feed_directory.ts";
import type { KnownFiles } from "../../known_files.ts";
import { removeLeftovers } from "./replace_file.ts";

/** A person makes a file of this name to say that the directory replaces the former one. */
const REPLACEMENT_MARKER = ".feedsync-new";

/** Errors that a person has to fix in the configuration: waiting does not help. */
const MISTAKES = [
  Deno.errors.AlreadyExists,
  Deno.errors.NotADirectory,
  Deno.errors.NotCapable,
  Deno.errors.PermissionDenied,
];

/** A directory that updates are written to. */
export class MirrorDirectory {
  readonly #path: string;
  readonly #known: KnownFiles;
  /** Whether an earlier run wrote to it. */
  readonly wasMirrored: boolean;

  /** For the directory at this absolute path. */
  constructor(path: string, known: KnownFiles) {
    this.#path = path;
    this.#known = known;
    this.wasMirrored = known.mirrored(path) !== undefined;
  }

  /**
   * Makes the directory, unless an earlier run wrote to it.
   *
   * @throws {BackendUnavailableError} when its disk is full or read-only.
   */
  async open(): Promise<void> {
    try {
      if (!this.wasMirrored) await Deno.mkdir(this.#path, { recursive: true });
      await removeLeftovers(this.#path);
    } catch (cause) {
      if (this.wasMirrored && cause instanceof Deno.errors.NotFound) return;
      if (MISTAKES.some((kind) => cause instanceof kind)) throw cause;
      const message = `Cannot use the directory '${this.#path}': ${messageOf(cause)}`;
      throw new BackendUnavailableError(message, { cause });
    }
  }

  /** @throws {BackendUnavailableError} when it may be another directory. */
  async assertSame(): Promise<void> {
    const mirrored = this.#known.mirrored(this.#path);
    const identity = await identityOf(this.#path);
    if (identity !== undefined && identity === mirrored) return;
    const former = mirrored ?? this.#known.identityOf(this.#path);
    const mayDiffer = former !== undefined && former !== identity;
    const difference = mayDiffer ? await this.#difference(identity) : undefined;
    if (difference !== undefined) {
      throw new BackendUnavailableError(
        `The directory '${this.#path}' ${difference}: updates wait until its disk is mounted. If it is ` +
          `to be filled anew, put an empty file '${REPLACEMENT_MARKER}' into it`,
      );
    }
    await Deno.remove(join(this.#path, REPLACEMENT_MARKER)).catch(() => {});
    if (identity !== undefined) this.#known.noteMirrored(this.#path, identity);
  }

  /** How it differs from the former directory; undefined when it can be the same. */
  async #difference(identity: string | undefined): Promise<string | undefined> {
    if (identity === undefined) return "is not there";
    const names = new Set<string>();
    for await (const { name } of Deno.readDir(this.#path)) names.add(name);
    if (names.has(REPLACEMENT_MARKER)) return undefined;
    if (![...names].some(feedOf)) return "is empty, and was not before";
    const seen = this.#known.seenIn(this.#path).filter((path) => dirname(path) === this.#path);
    const missing = seen.filter((path) => !names.has(basename(path)));
    if (missing.length <= seen.length * MAX_MISSING_PART) return undefined;
    return `is another one than before, and ${missing.length} files that were seen are not in it`;
  }
}
