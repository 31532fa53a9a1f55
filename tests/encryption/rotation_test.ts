import assert from "node:assert/strict";
import { join } from "node:path";
import { type Config, connect, type FeedSync, publish, watch } from "../../mod.ts";
import { feedsync, workspace } from "../cli/feedsync.ts";

const PAGE = new URL("../../docs/encryption.md", import.meta.url);
const FILE = "feedsync.keys.json";
const SERVERS = ["web-1", "web-2", "web-3"];

/** The commands in docs/encryption.md by which key files are made, given a names key, and changed. */
async function commands() {
  const page = await Deno.readTextFile(PAGE);
  const [make, names, add, first, drop, ...others] = [
    ...page.matchAll(/^feedsync (keygen .*?)(?: +#.*)?$/gm),
  ].map(([, text]) => text.split(" "));
  assert.deepEqual(others, []);
  return { make, names, add, first, drop };
}

/** How many servers have applied each content. */
class Arrivals {
  readonly #applied = new Map<unknown, Set<string>>();
  readonly #waiting = new Map<unknown, () => void>();

  note(server: string, content: unknown): void {
    const servers = this.#applied.get(content) ?? new Set();
    this.#applied.set(content, servers.add(server));
    if (this.#isComplete(content)) this.#waiting.get(content)?.();
  }

  /** Resolves when all servers but the one that published it have applied a content. */
  async of(content: string): Promise<void> {
    if (this.#isComplete(content)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(content, resolve);
    await promise;
  }

  #isComplete(content: unknown): boolean {
    return this.#applied.get(content)?.size === SERVERS.length - 1;
  }
}

/** Servers, each with a directory of its own, that watch until the end. */
class Servers implements AsyncDisposable {
  readonly gaps: unknown[] = [];
  readonly #arrivals: Arrivals;
  readonly #syncs: FeedSync[] = [];
  readonly #ends = new AsyncDisposableStack();

  constructor(arrivals: Arrivals = new Arrivals()) {
    this.#arrivals = arrivals;
  }

  /** Starts all; `configOf`: with what. */
  async start(home: string, configOf: (server: string) => Config): Promise<void> {
    for (const server of SERVERS) {
      const store = `file:${join(home, "store")}`, directory = join(home, server);
      const options = { ...configOf(server), store, server, state: "state.db", poll: "100ms" };
      const sync = this.#ends.use(await connect(options, { directory }));
      const watcher = watch(sync, ({ content }) => this.#arrivals.note(server, content), {
        onGap: (gap) => void this.gaps.push(gap),
      });
      this.#ends.defer(() => watcher.close());
      await watcher.poll();
      this.#syncs.push(sync);
    }
  }

  /** Every server publishes; resolves when all others have applied it. */
  async publishAll(text: string): Promise<void> {
    const arrivals = this.#syncs.map((sync) => {
      const content = `${text} of ${sync.server}`;
      const arrival = this.#arrivals.of(content);
      return Promise.all([arrival, publish(sync, { url: "https://example.com/", content })]);
    });
    await Promise.all(arrivals);
  }

  /** One server publishes; whether it arrives anywhere is another matter. */
  async publish(server: string, content: string): Promise<void> {
    const sync = this.#syncs.find((sync) => sync.server === server)!;
    await publish(sync, { url: "https://example.com/", content });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends.disposeAsync();
  }
}

/** A directory for each server, and what is done with the key file of the first. */
async function home() {
  const directory = await workspace();
  for (const server of SERVERS) await Deno.mkdir(join(directory.path, server));
  const [first, ...others] = SERVERS.map((server) => join(directory.path, server));
  return {
    path: directory.path,
    async run(args: string[]): Promise<void> {
      const { code, stderr } = await feedsync(args, { cwd: first });
      assert.equal(code, 0, stderr);
      for (const other of others) await Deno.copyFile(join(first, FILE), join(other, FILE));
    },
    /** Makes the file of the first one of 0.1. */
    async dropNamesKey(): Promise<void> {
      const { keys } = JSON.parse(await Deno.readTextFile(join(first, FILE)));
      await Deno.writeTextFile(join(first, FILE), JSON.stringify({ keys }));
      for (const other of others) await Deno.copyFile(join(first, FILE), join(other, FILE));
    },
    async kids(): Promise<string[]> {
      const { keys } = JSON.parse(await Deno.readTextFile(join(first, FILE)));
      return keys.map(({ kid }: { kid: string }) => kid);
    },
    /** Ids of the keys that the objects in the store are encrypted with; "plain" for those that are not. */
    async kidsInStore(): Promise<Set<string>> {
      const kids = new Set<string>();
      for await (const path of files(join(directory.path, "store"))) {
        const [header] = (await Deno.readTextFile(path)).split(".");
        const isEncrypted = header.startsWith("eyJ");
        kids.add(isEncrypted ? JSON.parse(decode(header)).kid : "plain");
      }
      return kids;
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

function decode(text: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(text, { alphabet: "base64url" }));
}

async function* files(directory: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isDirectory) yield* files(path);
    else yield path;
  }
}

Deno.test("keys are changed as the documentation says, while all servers watch and publish", async () => {
  const { make, add, first, drop } = await commands();
  await using place = await home();
  await place.run(make);
  const [old] = await place.kids();
  await using servers = new Servers();
  await servers.start(place.path, () => ({ encryption: { keys: FILE } }));
  await servers.publishAll("before");
  await place.run(add);
  const added = (await place.kids()).at(-1)!;
  const fill = (args: string[]) =>
    args.map((arg) => arg === "NEW" ? added : arg === "OLD" ? old : arg);
  await servers.publishAll("after step 1");
  assert.deepEqual(await place.kidsInStore(), new Set([old]));
  await place.run(fill(first));
  for (let i = 0; i < 10; i++) await servers.publishAll(`after step 2, ${i}`);
  assert.ok((await place.kidsInStore()).has(added));
  await place.run(fill(drop));
  assert.deepEqual(await place.kids(), [added]);
  await servers.publishAll("after step 3");
  assert.deepEqual(servers.gaps, []);
});

Deno.test("a key file of 0.1 gets its names key as the documentation says", async () => {
  const { make, names } = await commands();
  await using place = await home();
  await place.run(make);
  await place.dropNamesKey();
  const configOf = () => ({ encryption: { keys: FILE } });
  await using refused = new Servers();
  await assert.rejects(refused.start(place.path, configOf), /no names key; run feedsync keygen/);
  await place.run(names);
  await using servers = new Servers();
  await servers.start(place.path, configOf);
  await servers.publishAll("with a names key");
});

Deno.test("servers begin to encrypt one after the other, as the documentation says", async () => {
  const { make } = await commands();
  await using place = await home();
  await place.run(make);
  const encryption = { keys: FILE, allowPlaintext: true };
  const arrivals = new Arrivals();
  const migrated = new Set<string>();
  const configOf = (server: string) => migrated.has(server) ? { encryption } : {};
  {
    await using servers = new Servers(arrivals);
    await servers.start(place.path, configOf);
    await servers.publishAll("plain");
  }
  for (const server of SERVERS) {
    migrated.add(server);
    await using servers = new Servers(arrivals);
    await servers.start(place.path, configOf);
    await servers.publish(server, `encrypted of ${server}`);
    assert.deepEqual(servers.gaps, []);
  }
  await using servers = new Servers(arrivals);
  await servers.start(place.path, configOf);
  await servers.publishAll("after that");
  for (const server of SERVERS) await arrivals.of(`encrypted of ${server}`);
  assert.deepEqual(servers.gaps, []);
  assert.deepEqual(await place.kidsInStore(), new Set(["plain", ...await place.kids()]));
});
