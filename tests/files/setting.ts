/** A real directory, records in memory and a clock that runs faster than the real one. */
import { type Environment, systemEnvironment } from "../../lib/base/environment.ts";
import type { FileRecords, Sighting } from "../../lib/files/file_records.ts";
import type { KnownFile, NewestKnown } from "../../lib/known_files.ts";
import { FileWatcher, type FileWatcherOptions } from "../../lib/files/watching/file_watcher.ts";
import { contentBytes, contentHash, type Json, type UpdateInput } from "../../lib/update.ts";

/** What went through `publish`. */
export interface Published extends UpdateInput {
  readonly path: string;
}

/** Keeps everything in maps; calls of `publish` can be awaited. */
export class MemoryRecords implements FileRecords {
  readonly published: Published[] = [];
  readonly files = new Map<string, string | null>();
  readonly urls = new Map<string, NewestKnown>();
  readonly scanned = new Map<string, string | undefined>();
  readonly clockOffset = 0;
  readonly #feeds = new Map<string, Omit<KnownFile, "hash">>();
  readonly #removed: { path: string; time: number }[] = [];
  /** How many times a file was asked about: once for each that was read. */
  lookups = 0;
  /** Called when the newest update of a URL is looked up, as it is when a file is marked. */
  onNewest: (url: string) => void = () => {};
  /** Whether it knows which feed a file stood for. */
  tellsUrls = true;
  /** Thrown by `publish` when set. */
  failure: Error | undefined;
  #waiting: (() => void)[] = [];

  get(path: string): KnownFile | undefined {
    this.lookups++;
    const hash = this.files.get(path);
    return hash === undefined ? undefined : {
      publishedAt: 0,
      isLeft: false,
      ...(this.tellsUrls ? this.#feeds.get(path) : undefined),
      hash,
    };
  }

  isScanned(directory: string): boolean {
    return this.scanned.has(directory);
  }

  identityOf(directory: string): string | undefined {
    return this.scanned.get(directory);
  }

  noteScanned(directory: string, identity: string | undefined): void {
    this.scanned.set(directory, identity ?? this.scanned.get(directory));
  }

  removedSince(directory: string, since: number): number {
    return this.#removed.filter(({ path, time }) =>
      path.startsWith(`${directory}/`) && time > since
    )
      .length;
  }

  seenIn(directory: string): string[] {
    return [...this.files].filter(([path, hash]) => path.startsWith(`${directory}/`) && hash)
      .map(([path]) => path);
  }

  mirrored(): undefined {
    return undefined;
  }

  noteMirrored(): void {}

  newest(url: string): NewestKnown | undefined {
    this.onNewest(url);
    return this.urls.get(url);
  }

  note(path: string, { url, hash, isLeft = false }: Sighting): void {
    this.files.set(path, hash);
    const { publishedAt = 0 } = this.#feeds.get(path) ?? {};
    this.#feeds.set(path, { url, isLeft, publishedAt });
    this.#wake();
  }

  publish(
    path: string,
    hash: string | null,
    update: UpdateInput,
    { isNoted = true }: { readonly isNoted?: boolean } = {},
  ): void {
    if (this.failure) throw this.failure;
    this.files.set(path, isNoted ? hash : this.files.get(path) ?? null);
    const time = Date.now(), url = String(update.url);
    this.urls.set(url, { time, hash });
    this.#feeds.set(path, { url, isLeft: false, publishedAt: time });
    if (hash === null) this.#removed.push({ path, time });
    this.published.push({ path, ...update });
    this.#wake();
  }

  /** An update of another server becomes known. */
  receive(url: string, content: Json | Uint8Array, time = Date.now()): void {
    this.urls.set(url, { time, hash: hashOf(content) });
  }

  /** Resolves as soon as `condition` holds; it is checked at each change. */
  async until(condition: (records: this) => unknown): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves as soon as the newest content published for the URL is this one. */
  untilNewest(url: string, content: Json | Uint8Array): Promise<void> {
    return this.until(() => this.urls.get(url)?.hash === hashOf(content));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Hash of content as a file holds it. */
export function hashOf(content: Json | Uint8Array): string {
  return contentHash(contentBytes({ content })!);
}

/** Time runs `speed` times as fast as it does, from `ahead` milliseconds in the future on. */
export function fastEnvironment({ speed = 1, ahead = 0 } = {}): Environment {
  const start = Date.now();
  const now = () => start + ahead + (Date.now() - start) * speed;
  const setTimer = (ms: number, callback: () => void) =>
    systemEnvironment.clock.setTimer(ms / speed, callback);
  return { ...systemEnvironment, clock: { now, elapsed: now, setTimer } };
}

/** Collects warnings and lets a test wait for one. */
export class TestLog {
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];
  debug = (): void => {};
  info = (line: string): void => this.#add(line);
  warn = (line: string): void => this.#add(line);
  error = (line: string): void => this.#add(line);

  /** Resolves as soon as there is a line with this text. */
  async until(text: string): Promise<void> {
    while (!this.lines.some((line) => line.includes(text))) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #add(line: string): void {
    this.lines.push(line);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A directory with feed files, and what watches it. */
export class Setting implements AsyncDisposable {
  readonly root: string = Deno.makeTempDirSync();
  readonly directory: string = `${this.root}/feeds`;
  readonly records = new MemoryRecords();
  readonly log = new TestLog();
  #watcher: FileWatcher | undefined;

  constructor() {
    Deno.mkdirSync(this.directory);
  }

  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  write(name: string, content: string | Uint8Array): Promise<void> {
    return typeof content === "string"
      ? Deno.writeTextFile(this.path(name), content)
      : Deno.writeFile(this.path(name), content);
  }

  /** Runs a line of shell in the root, for what Deno cannot do. */
  async shell(line: string): Promise<void> {
    const { success, stderr } = await new Deno.Command("sh", { args: ["-c", line], cwd: this.root })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }

  /** A watcher with the same records as those before: the process was started again. */
  async restart(options: Partial<FileWatcherOptions> = {}): Promise<FileWatcher> {
    await this.#watcher?.close();
    return this.#watcher = new FileWatcher(this.directory, this.records, {
      environment: fastEnvironment(),
      settleMs: 20,
      rescanMs: 60_000,
      publishRemovals: false,
      logger: this.log,
      ...options,
    });
  }

  /** A watcher that has begun to watch. */
  async start(options: Partial<FileWatcherOptions> = {}): Promise<FileWatcher> {
    const watcher = await this.restart(options);
    watcher.start();
    await watcher.scan();
    return watcher;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher?.close();
    await Deno.remove(this.root, { recursive: true });
  }
}
