/**
 * A store in a directory: for one machine, a shared mount, a demo.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { type Environment, systemEnvironment } from "../../base/environment.ts";
import { CorruptObjectError, StoreUnavailableError } from "../../errors.ts";
import { Meter } from "../meter.ts";
import { directoryError, isAbsence } from "./errors.ts";
import { listFiles } from "./listing.ts";
import { watchDirectory } from "./watch.ts";
import { EmptyDirectories } from "./empty_directories.ts";
import {
  inDirectory,
  makeDirectoryDurably,
  renameDurably,
  writeDurably,
} from "../../base/durable_file.ts";
import { checkKey, checkPrefix } from "../object_key.ts";
import {
  type FailedDelete,
  type ListOptions,
  MAX_OBJECT_BYTES,
  type ObjectInfo,
  type ObjectStore,
  type RequestCounts,
  type StoreOptions,
  tooLarge,
} from "../store.ts";

/** Directory in which objects are written before they are renamed; listings skip it. */
const TEMPORARY_DIRECTORY = ".tmp";
/** Age from which temporary files are leftovers of crashed processes. */
const LEFTOVER_AGE_MS = 60 * 60_000;
/** Coarsest resolution of file times: some file systems store them to two seconds. */
const FILE_TIME_RESOLUTION_MS = 2_000;
/** Number of objects per counted request, as for a bucket. */
const PAGE_SIZE = 1_000;

/** What fails, for messages. */
const CREATING = "creating its directory";

/**
 * Opens the store in the directory `path`, which is created with the first object if not before. The
 * clock of the store is that of the file system, read from the times of written files.
 */
export function openDirectoryStore(
  path: string,
  environment: Environment = systemEnvironment,
): ObjectStore {
  return new DirectoryStore(resolve(path), environment);
}

class DirectoryStore implements ObjectStore {
  readonly url: string;
  readonly listsAtOnce = true;
  readonly #meter: Meter;
  readonly #root: string;
  readonly #temporary: string;
  readonly #emptied: EmptyDirectories;
  readonly #environment: Environment;
  #hasTidied = false;
  /**
   * Whether the store held objects before: if it is empty now, its disk is probably not mounted.
   */
  #mustBeThere = false;

  constructor(root: string, environment: Environment) {
    this.url = `file:${root}`;
    this.#root = root;
    this.#temporary = join(root, TEMPORARY_DIRECTORY);
    this.#emptied = new EmptyDirectories(root);
    this.#environment = environment;
    this.#meter = new Meter(environment.clock, FILE_TIME_RESOLUTION_MS);
  }

  get requests(): RequestCounts {
    return this.#meter.requests;
  }

  get clockOffset(): number | undefined {
    return this.#meter.clockOffset;
  }

  expectObjects(): void {
    this.#mustBeThere = true;
  }

  async create({ signal }: StoreOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    try {
      await Deno.stat(this.#root);
      return false;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw this.#error(error, CREATING);
    }
    try {
      await makeDirectoryDurably(this.#root);
      return true;
    } catch (error) {
      throw this.#error(error, CREATING);
    }
  }

  async put(key: string, body: Uint8Array, { signal }: StoreOptions = {}): Promise<void> {
    const path = this.#path(key);
    const temporary = this.#temporaryFile();
    signal?.throwIfAborted();
    this.requests.put++;
    try {
      await this.#tidy();
      await inDirectory(this.#temporary, () => this.#writeInto(temporary, body));
      signal?.throwIfAborted();
      await renameDurably(temporary, path);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw this.#error(error, `writing ${key}`, signal);
    }
  }

  async get(key: string, { signal }: StoreOptions = {}): Promise<Uint8Array | undefined> {
    const path = this.#path(key);
    signal?.throwIfAborted();
    this.requests.get++;
    try {
      const { size } = await Deno.stat(path);
      if (size > MAX_OBJECT_BYTES) throw tooLarge(key);
      return await Deno.readFile(path, { signal });
    } catch (error) {
      if (isAbsence(error)) return undefined;
      if (error instanceof CorruptObjectError) throw error;
      throw this.#error(error, `reading ${key}`, signal);
    }
  }

  async *list(
    prefix: string,
    { startAfter = "", signal }: ListOptions = {},
  ): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    signal?.throwIfAborted();
    let listed = 0;
    this.requests.list++;
    if (this.clockOffset === undefined) await this.#askForTime();
    try {
      const selection = {
        root: this.#root,
        prefix,
        startAfter,
        onEmpty: (directory: string) => this.#emptied.removeOld(directory, this.#now()),
      };
      for await (const object of listFiles(selection)) {
        signal?.throwIfAborted();
        if (listed > 0 && listed % PAGE_SIZE === 0) this.requests.list++;
        yield object;
        listed++;
      }
      if (listed === 0) await this.#assertSame();
    } catch (error) {
      throw this.#error(error, `listing ${prefix || "all objects"}`, signal);
    }
  }

  async delete(
    keys: readonly string[],
    { signal }: StoreOptions = {},
  ): Promise<FailedDelete[]> {
    const paths = keys.map((key) => this.#path(key));
    const directories = new Set<string>();
    try {
      for (const [index, path] of paths.entries()) {
        signal?.throwIfAborted();
        if (index % PAGE_SIZE === 0) this.requests.delete++;
        directories.add(dirname(keys[index]));
        try {
          await Deno.remove(path);
        } catch (cause) {
          if (isAbsence(cause)) continue;
          const error = this.#error(cause, `deleting ${keys[index]}`);
          return keys.slice(index).map((key) => ({ key, error }));
        }
      }
      return [];
    } finally {
      for (const directory of directories) await this.#emptied.remove(directory);
    }
  }

  watch(prefix: string, changed: () => void): AsyncDisposable {
    checkPrefix(prefix);
    return watchDirectory(join(this.#root, prefix), changed, this.#environment.clock);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  /** The time of the file system. */
  #now(): number {
    return this.#environment.clock.now() + (this.clockOffset ?? 0);
  }

  #path(key: string): string {
    checkKey(key);
    return join(this.#root, key);
  }

  #temporaryFile(): string {
    return join(this.#temporary, this.#environment.random.uuid());
  }

  /**
   * Writes a file, and reads the clock of the file system, which may be on another machine, from
   * its time.
   */
  async #write(path: string, body: Uint8Array): Promise<void> {
    const written = this.#meter.sent();
    written(await writeDurably(path, body));
  }

  /**
   * Writes a file; if its directory is missing, checks that the store is the same before it is
   * created.
   */
  async #writeInto(path: string, body: Uint8Array): Promise<void> {
    try {
      await this.#write(path, body);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) await this.#assertSame();
      throw error;
    }
  }

  /** Checks that the disk is mounted: updates written below an empty mount point would be lost. */
  async #assertSame(): Promise<void> {
    if (!this.#mustBeThere) return;
    try {
      for await (const _entry of Deno.readDir(this.#root)) return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    throw new StoreUnavailableError(
      `Cannot use the store ${this.url}: it is empty or missing, but held objects before; is its ` +
        "disk mounted? To start with an empty store, create the directory " +
        `'${TEMPORARY_DIRECTORY}' in it`,
    );
  }

  /** Reads the clock of the file system by writing a file, if the store exists and is writable. */
  async #askForTime(): Promise<void> {
    const path = this.#temporaryFile();
    try {
      await this.#write(path, new Uint8Array());
      await Deno.remove(path);
    } catch {
      // Without the right to write, nothing is deleted, so its age does not matter.
    }
  }

  #error(error: unknown, doing: string, signal?: AbortSignal): Error {
    if (signal?.aborted) return signal.reason;
    return error instanceof StoreUnavailableError ? error : directoryError(error, this.url, doing);
  }

  /** Removes, once, temporary files of processes that ended while writing. */
  async #tidy(): Promise<void> {
    if (this.#hasTidied) return;
    const old = this.#environment.clock.now() - LEFTOVER_AGE_MS;
    for await (const { key, lastModified } of listFiles({ root: this.#temporary })) {
      if (lastModified !== undefined && lastModified < old) {
        await Deno.remove(join(this.#temporary, key)).catch(() => {});
      }
    }
    this.#hasTidied = true;
  }
}
