import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sampleFeeds } from "../../lib/cli/demo/sample_feeds.ts";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { feedsync, workspace } from "../cli/feedsync.ts";
import { Running } from "../cli/running.ts";
import { onEveryStore, type TestStore } from "./stores.ts";

const FEEDS = 200, HOUR = 60 * 60 * 1000;
/** How long servers may take until they have the same. */
const PATIENCE_MS = 50_000;
const SAMPLES = Object.values(sampleFeeds);

/** Servers that mirror all feeds, each in a directory of its own, from which it also publishes. */
class Servers {
  readonly #store: TestStore;
  readonly #path: string;

  constructor(store: TestStore, path: string) {
    this.#store = store;
    this.#path = path;
  }

  /** Its directory, with its configuration. */
  async make(server: string): Promise<string> {
    const cwd = join(this.#path, server), directory = "feeds";
    await Deno.mkdir(join(cwd, directory), { recursive: true });
    const config = {
      ...this.#store.config,
      ...{ server, poll: "200ms", files: { directory }, plugins: [["mirror", { directory }]] },
    };
    await Deno.writeTextFile(join(cwd, "feedsync.json"), JSON.stringify(config));
    return cwd;
  }

  /** Saves an edition of a feed. */
  async save(server: string, feed: number, edition: number): Promise<void> {
    const { editions } = SAMPLES[feed % SAMPLES.length];
    const content = editions[edition].content.replaceAll("example.com", `${feed}.example.com`);
    const path = join(this.#path, server, "feeds", feedFileName(urlOf(feed)));
    await Deno.writeTextFile(`${path}.part`, content);
    await Deno.rename(`${path}.part`, path);
  }

  /** What is mirrored, byte for byte. */
  async mirrored(server: string): Promise<Map<string, string>> {
    const directory = join(this.#path, server, "feeds"), files = new Map<string, string>();
    for await (const { name } of Deno.readDir(directory)) {
      if (!name.endsWith(".feed")) continue;
      files.set(name, (await Deno.readFile(join(directory, name))).toBase64());
    }
    return files;
  }

  /** Waits until they have the same. */
  async agree(...servers: string[]): Promise<void> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
      const [first, ...others] = await Promise.all(servers.map((name) => this.mirrored(name)));
      const isSame = (files: Map<string, string>) =>
        [...first].every(([name, content]) => files.get(name) === content);
      if (first.size === FEEDS && others.every((files) => files.size === FEEDS && isSame(files))) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${servers.join(", ")} do not have the same`);
  }
}

function urlOf(feed: number): string {
  return `https://host-${feed % 40}.example.com/feeds/${feed}?format=rss`;
}

/** Has two hours pass for the files of a store in a directory. */
async function age({ config: { store } }: TestStore): Promise<void> {
  if (!store.startsWith("file:")) return;
  const time = new Date(Date.now() - 2 * HOUR);
  const walk = async (directory: string) => {
    for await (const { name, isDirectory } of Deno.readDir(directory)) {
      const path = join(directory, name);
      await (isDirectory ? walk(path) : Deno.utime(path, time, time));
    }
  };
  await walk(store.slice("file:".length));
}

/** Has a server be away for two hours. */
function stayAway(cwd: string, server: string): void {
  using db = new DatabaseSync(join(cwd, ".feedsync", `${server}.db`));
  db.exec(
    `UPDATE meta SET value = value - ${2 * HOUR} WHERE key IN ('listedAt', 'lastPoll')`,
  );
}

onEveryStore("servers that are new, or were away, end up with the same mirror", async (store) => {
  await using place = await workspace();
  const servers = new Servers(store, place.path);
  const [web1, web2, web3, web4] = await Promise.all(
    ["web-1", "web-2", "web-3", "web-4"].map((name) => servers.make(name)),
  );
  for (let feed = 0; feed < FEEDS; feed++) await servers.save(`web-${1 + feed % 3}`, feed, 0);
  {
    await using _first = new Running(["watch"], { cwd: web1 });
    await using _second = new Running(["watch"], { cwd: web2 });
    {
      await using third = new Running(["watch"], { cwd: web3 });
      await servers.agree("web-1", "web-2", "web-3");
      third.kill("SIGTERM");
      await third.end();
    }
    for (let feed = 0; feed < FEEDS; feed += 10) await servers.save("web-1", feed, 1);
    await servers.agree("web-1", "web-2");
  }

  await age(store);
  const preload = join(import.meta.dirname!, "older_listings.ts");
  const cleaned = await feedsync(["cleanup", "--max-age", "10m", "--json"], { cwd: web1, preload });
  const [{ carried, kept, newest }] = cleaned.json();
  assert.deepEqual([carried, kept], [FEEDS, 0], cleaned.stderr);
  assert.equal((newest as { objects: number }).objects, FEEDS);

  stayAway(web3, "web-3");
  for (const cwd of [web4, web3]) {
    const { code, stderr } = await feedsync(["watch", "--once"], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Complete: 200 feeds/);
  }
  const [mirror, ...others] = await Promise.all(
    ["web-1", "web-2", "web-3", "web-4"].map((name) => servers.mirrored(name)),
  );
  for (const other of others) assert.deepEqual(other, mirror);
  const { code, stdout } = await feedsync(["get", urlOf(10)], { cwd: web4 });
  assert.equal(code, 0);
  assert.equal(new TextEncoder().encode(stdout).toBase64(), mirror.get(feedFileName(urlOf(10))));
});
