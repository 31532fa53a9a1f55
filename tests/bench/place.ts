/**
 * Where benchmarks run: a part of a store, and a directory for the states of the servers.
 *
 * @module
 */
import { join } from "node:path";
import { type Config, connect, type FeedSync, publish } from "@feedsync/feedsync";
import { type ObjectName, parseKey } from "../../lib/log/names.ts";
import { openStore } from "../../lib/stores/open.ts";
import type { ObjectStore } from "../../lib/stores/store.ts";
import type { StoreAddress } from "./store.ts";
import { samples } from "./sample.ts";

/** Updates are published in arrays of this length where it does not matter how. */
const BULK = 1000;

/** A server that is connected, and the store under it. */
export interface Server extends AsyncDisposable {
  /** The connection. */
  readonly sync: FeedSync;
  /** The same store, opened once more: for the bare requests. */
  readonly store: ObjectStore;
}

/** Where benchmarks run. What they leave there is removed in the end. */
export class Place implements AsyncDisposable {
  readonly #store: StoreAddress;
  readonly #directory = Deno.makeTempDirSync({ prefix: "feedsync-bench-" });
  readonly #servers: FeedSync[] = [];
  readonly #stores: ObjectStore[] = [];
  readonly #filled = new Map<number, Promise<string>>();
  #buckets = 0;

  /** A new part of the store. */
  constructor(store: StoreAddress) {
    this.#store = { ...store, url: `${store.url}/${crypto.randomUUID().slice(0, 8)}` };
  }

  /** Whether the store is a directory. */
  get isDirectory(): boolean {
    return this.#store.url.startsWith("file:");
  }

  /** An empty bucket, or rather what looks like one to the servers. */
  bucket(): StoreAddress {
    return { ...this.#store, url: `${this.#store.url}/${++this.#buckets}` };
  }

  /** A path for a state file that does not exist yet. */
  stateFile(): string {
    return join(this.#directory, `${crypto.randomUUID()}.db`);
  }

  /** Connects a server, its state in a file on disk. */
  async server(name: string, { url, s3 }: StoreAddress, config: Config = {}): Promise<Server> {
    const state = this.stateFile();
    const sync = await connect({ server: name, store: url, s3, state, ...config });
    this.#servers.push(sync);
    const store = await openStore(url, s3);
    this.#stores.push(store);
    return { sync, store, [Symbol.asyncDispose]: () => sync.close() };
  }

  /** A bucket with that many updates of one server; the same one each time. */
  async filled(count: number): Promise<StoreAddress> {
    const made = this.#filled.get(count) ?? this.#fill(count);
    this.#filled.set(count, made);
    return { ...this.#store, url: await made };
  }

  /** Removes everything. An interrupted benchmark must not write any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((sync) => sync.close()));
    await Promise.all(this.#stores.map((store) => store[Symbol.asyncDispose]()));
    await Deno.remove(this.#directory, { recursive: true });
    await this.#remove("");
  }

  /** Removes everything but the buckets that are used again: a store in memory fills within minutes. */
  async clear(): Promise<void> {
    const kept = await Promise.all(this.#filled.values());
    for (let bucket = 1; bucket <= this.#buckets; bucket++) {
      const path = `/${bucket}`;
      if (!kept.includes(`${this.#store.url}${path}`)) await this.#remove(path);
    }
  }

  async #remove(path: string): Promise<void> {
    const { url, s3 } = this.#store;
    if (this.isDirectory) return await removeDirectory(url.slice("file:".length) + path);
    await using store = await openStore(url + path, s3);
    const objects = await Array.fromAsync(store.list(""));
    const [failed] = await store.delete(objects.map(({ key }) => key));
    if (failed) throw failed.error;
  }

  async #fill(count: number): Promise<string> {
    const bucket = this.bucket();
    await using server = await this.server("filler", bucket);
    for (let done = 0; done < count; done += BULK) {
      const length = Math.min(BULK, count - done);
      await publish(server.sync, samples(length));
    }
    return bucket.url;
  }
}

/** The commit that was written last, where only one server publishes. */
export async function newestCommit(
  store: ObjectStore,
): Promise<{ readonly name: ObjectName; readonly body: Uint8Array }> {
  const objects = await Array.fromAsync(store.list("tail/"));
  const name = parseKey(objects.at(-1)!.key)!;
  return { name, body: (await store.get(name.key))! };
}

/** Removes a directory, if it was made at all. */
async function removeDirectory(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
