/**
 * The file with the keys. It may change at any time: keys are added, and the first becomes another,
 * while servers run.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { ConfigError, messageOf } from "../../errors.ts";
import { systemEnvironment } from "../../base/environment.ts";
import { fileVersion } from "../../base/file_version.ts";
import { OnceLog } from "../../base/once_log.ts";
import { importKeys, type JwkSet, type KeySet, parseKeys } from "./key_set.ts";

const logger = getLogger(["feedsync", "encryption"]);

/** What only the owner of a file may do. */
const OTHERS = 0o077;

/** A key file, and the keys that were in it when it last was as it should be. */
export class KeyFile {
  /** Counts how often the keys have changed, the names key among them. */
  revision = 0;
  readonly path: string;
  #keys: KeySet;
  #version: string;
  readonly #problems = new OnceLog(logger, systemEnvironment.clock);
  #looking: Promise<void> | undefined;

  private constructor(path: string, keys: KeySet, version: string) {
    this.path = path;
    this.#keys = keys;
    this.#version = version;
    logger.debug("{keys}", { keys: this.#description() });
  }

  /**
   * Reads the keys.
   *
   * @throws {ConfigError} when the file is missing or wrong, or others may read or write it.
   */
  static async open(path: string): Promise<KeyFile> {
    const { set, version } = await readKeyFile(path);
    return new KeyFile(path, await importKeys(set, path), version);
  }

  /** The keys. */
  get keys(): KeySet {
    return this.#keys;
  }

  /** Reads the keys again if the file has changed; while it is damaged they stay as they are. */
  look(): Promise<void> {
    return this.#looking ??= this.#look().finally(() => this.#looking = undefined);
  }

  async #look(): Promise<void> {
    try {
      if (await versionOf(this.path) === this.#version) return;
      const { set, version } = await readKeyFile(this.path);
      [this.#keys, this.#version] = [await importKeys(set, this.path), version];
      this.revision++;
      this.#tellKeys();
    } catch (error) {
      this.#version = ""; // Whatever it is next is news.
      const text = "{message}; the keys that were in it are used until it is mended";
      this.#problems.problem(this.path, { text, properties: { message: messageOf(error) } });
    }
  }

  #tellKeys(): void {
    const properties = { path: this.path };
    this.#problems.resolved(this.path, {
      text: "The keys in {path} can be read again",
      properties,
    });
    logger.info("{keys}", { keys: this.#description() });
  }

  #description(): string {
    const { keys, first: { kid } } = this.#keys;
    return `Encrypting with the key ${kid}, the first of ${keys.size} in ${this.path}`;
  }
}

/**
 * Reads a key file, and what tells whether it has changed.
 *
 * @throws {ConfigError} when it is missing or wrong, or others may read or write it.
 */
export async function readKeyFile(path: string): Promise<{ set: JwkSet; version: string }> {
  const { text, info } = await read(path);
  // Windows has no such modes.
  if (((info.mode ?? 0) & OTHERS) !== 0) {
    throw new ConfigError(
      `Cannot use the keys in ${path}: others than its owner may read or write it, run ` +
        `chmod 600 ${path}`,
    );
  }
  return { set: parseKeys(text, path), version: fileVersion(info) };
}

async function versionOf(path: string): Promise<string> {
  try {
    return fileVersion(await Deno.stat(path));
  } catch (cause) {
    // No hint at keygen: new keys would take the place of those in use.
    throw unreadable(path, cause, "it does not exist any more");
  }
}

async function read(path: string): Promise<{ text: string; info: Deno.FileInfo }> {
  try {
    using file = await Deno.open(path);
    const info = await file.stat();
    return { info, text: await new Response(file.readable).text() };
  } catch (cause) {
    throw unreadable(path, cause, "it does not exist, feedsync keygen makes one");
  }
}

function unreadable(path: string, cause: unknown, missing: string): ConfigError {
  const reason = cause instanceof Deno.errors.NotFound ? missing : messageOf(cause);
  return new ConfigError(`Cannot read the keys in ${path}: ${reason}`, { cause });
}
