/**
 * The file with the keys. It may change while servers run: keys are added, and another key becomes
 * the first.
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

/** Mode bits that grant access to others than the owner. */
const OTHERS = 0o077;

/** A key file, and the keys of its last valid version. */
export class KeyFile {
  /** Number of changes of the keys. */
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

  /** Reads the keys again if the file has changed; while it is invalid, keeps the previous keys. */
  look(): Promise<void> {
    return this.#looking ??= this.#look().finally(() => this.#looking = undefined);
  }

  async #look(): Promise<void> {
    try {
      if (await versionOf(this.path) === this.#version) return;
      const { set, version } = await readKeyFile(this.path);
      [this.#keys, this.#version] = [await importKeys(set, this.path), version];
      this.revision++;
      this.#logKeys();
    } catch (error) {
      this.#version = ""; // Forces the next look to reread the file.
      const text = "{message}; its previous keys stay in use until it is fixed";
      this.#problems.problem(this.path, { text, properties: { message: messageOf(error) } });
    }
  }

  #logKeys(): void {
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
 * Reads a key file, and the version by which a change is detected.
 *
 * @throws {ConfigError} when it is missing or wrong, or others may read or write it.
 */
export async function readKeyFile(path: string): Promise<{ set: JwkSet; version: string }> {
  const { text, info } = await read(path);
  // Windows has no such modes.
  if (((info.mode ?? 0) & OTHERS) !== 0) {
    throw new ConfigError(
      `Cannot use the keys in ${path}: users other than its owner may read or write it; run ` +
        `chmod 600 ${path}`,
    );
  }
  return { set: parseKeys(text, path), version: fileVersion(info) };
}

async function versionOf(path: string): Promise<string> {
  try {
    return fileVersion(await Deno.stat(path));
  } catch (cause) {
    // No hint at keygen here: new keys would replace those in use.
    throw unreadable(path, cause, "it no longer exists");
  }
}

async function read(path: string): Promise<{ text: string; info: Deno.FileInfo }> {
  try {
    using file = await Deno.open(path);
    const info = await file.stat();
    return { info, text: await new Response(file.readable).text() };
  } catch (cause) {
    throw unreadable(path, cause, "it does not exist; feedsync keygen makes one");
  }
}

function unreadable(path: string, cause: unknown, missing: string): ConfigError {
  const reason = cause instanceof Deno.errors.NotFound ? missing : messageOf(cause);
  return new ConfigError(`Cannot read the keys in ${path}: ${reason}`, { cause });
}
