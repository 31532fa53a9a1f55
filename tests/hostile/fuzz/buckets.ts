/**
 * Whole hostile buckets, and a real `watch` with plugins.
 *
 * @module
 */
import { configureSync, resetSync } from "@logtape/logtape";
import fc from "fast-check";
import assert from "node:assert/strict";
import { resolveConfig } from "../../../lib/config/resolve.ts";
import { Connection } from "../../../lib/connection.ts";
import { type Environment, systemEnvironment } from "../../../lib/base/environment.ts";
import { FeedSyncError } from "../../../lib/errors.ts";
import { feedFileName } from "../../../lib/files/feed_names.ts";
import { type ObjectName, objectName } from "../../../lib/log/names.ts";
import { loadPlugins } from "../../../lib/plugins/load_plugins.ts";
import { textFormat } from "../../../lib/cli/logging.ts";
import { publish } from "../../../lib/publish.ts";
import { watchWith } from "../../../lib/watch.ts";
import { workspace } from "../../cli/feedsync.ts";
import { MemoryStore } from "../../memory_store.ts";
import { type BodyChange, bodyChange, changeBody } from "./changes.ts";
import { opened, type Property } from "./properties.ts";
import { bodyFor, smallName } from "./samples.ts";

/** So many times faster than the clock on the wall: waiting for holes would take most of the time. */
const SPEED = 200;

/** A poll that takes longer hangs, in milliseconds. */
const PATIENCE = 20_000;

const HONEST = objectName({
  kind: "tail",
  stream: "honest_aaaaaaaa",
  first: 1,
  last: 4,
  writer: "hhhhhhhh",
});

const begun = Date.now();
const environment: Environment = {
  random: systemEnvironment.random,
  clock: {
    now: () => begun + (Date.now() - begun) * SPEED,
    elapsed: () => performance.now() * SPEED,
    setTimer: (ms, callback) => systemEnvironment.clock.setTimer(ms / SPEED, callback),
  },
};

/** An object of an attacker. */
interface HostileObject {
  readonly name: ObjectName;
  readonly change: BodyChange;
}

const hostileBucket = fc.record({
  objects: fc.array(fc.record({ name: smallName, change: bodyChange }), {
    minLength: 1,
    maxLength: 6,
  }),
  foreign: fc.array(fc.string({ unit: "binary", maxLength: 20 }), { maxLength: 3 }),
});

/**
 * What an honest server publishes arrives, whatever else there is in the bucket; nothing is written
 * beside the state and what the plugins write; and what is printed commands no terminal.
 */
export const buckets: Property = {
  name: "buckets",
  share: 8,
  open() {
    const output = watchOutput();
    const property = fc.asyncProperty(hostileBucket, async ({ objects, foreign }) => {
      const store = new MemoryStore(environment.clock);
      await store.put(HONEST.key, bodyFor(HONEST, "honest"));
      for (const key of foreign) await store.put(`tail/${key}`, new Uint8Array([1]));
      await put(store, objects.slice(0, 3));
      await checkBucket(store, (own) => put(store, objects.slice(3), own));
      output.check();
    });
    return opened(property, () => Promise.resolve(output[Symbol.dispose]()));
  },
};

/** Puts objects; those that claim to be of the watching server into its `own` stream, if given. */
async function put(
  store: MemoryStore,
  objects: readonly HostileObject[],
  own?: string,
): Promise<void> {
  for (const { name: given, change } of objects) {
    const isOwn = own !== undefined && given.stream.startsWith("web-1_");
    const name = isOwn ? objectName({ ...given, stream: own }) : given;
    await store.put(name.key, changeBody(bodyFor(name), change));
  }
}

async function checkBucket(
  store: MemoryStore,
  between: (own: string) => Promise<void>,
): Promise<void> {
  await using home = await workspace({ canary: "alive" });
  await Deno.mkdir(`${home.path}/home`);
  const directory = `${home.path}/home`;
  const config = resolveConfig({
    server: "web-1",
    state: "state.db",
    callbackTimeout: "10m",
    stopTimeout: "10m",
  }, { directory });
  const plugins = await loadPlugins(
    [["mirror", { directory: "mirror" }], ["sqlite", { path: "feeds.db" }], "log"],
    { server: "web-1", directory },
  );
  const arrived = new Set<string>();
  const spy = {
    name: "spy",
    onUpdate: ({ stream, seq }: { stream: string; seq: number }) =>
      void arrived.add(`${stream} ${seq}`),
    onGap: () => {},
    close: () => Promise.resolve(),
  };
  {
    await using connection = new Connection(config, store, { environment });
    await using watcher = watchWith(connection, [...plugins, spy], {
      manual: true,
    });
    await inTime(publish(connection, { url: "https://own.example.com/", content: "a" }));
    await inTime(watcher.poll());
    await between(connection.stream);
    await inTime(watcher.poll());
    await inTime(publish(connection, { url: "https://own.example.com/", content: "b" }));
    assert.equal(connection.parts!.state.queued(), 0);
  }
  for (let seq = HONEST.first; seq <= HONEST.last; seq++) {
    assert.ok(arrived.has(`${HONEST.stream} ${seq}`), `${seq} of the honest server`);
  }
  await checkFiles(home.path);
}

async function inTime(poll: Promise<unknown>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("It hangs")), PATIENCE);
  try {
    await Promise.race([poll, late]);
  } catch (error) {
    if (!(error instanceof FeedSyncError)) throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function checkFiles(path: string): Promise<void> {
  assert.deepEqual(await namesIn(path), ["canary", "home"]);
  assert.equal(await Deno.readTextFile(`${path}/canary`), "alive");
  const others = (await namesIn(`${path}/home`)).filter((name) =>
    name !== "mirror" && !/^(state|feeds)\.db(-wal|-shm|\.(upload|watch)\.lock)?$/.test(name)
  );
  assert.deepEqual(others, []);
  const names = await namesIn(`${path}/home/mirror`);
  assert.ok(names.includes(feedFileName("https://honest.example.com/1")), names.join());
  for await (const { name, isFile } of Deno.readDir(`${path}/home/mirror`)) {
    assert.ok(isFile && /^[^./\\][!-~]*\.feed(\.json)?$/.test(name), name);
  }
}

async function namesIn(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

/** Takes what goes to standard output and to the log, until it is disposed of. */
function watchOutput(): Disposable & { check(): void } {
  const lines: string[] = [];
  const format = textFormat(false);
  configureSync({
    reset: true,
    sinks: { memory: (record) => void lines.push(format(record)) },
    loggers: [
      { category: ["feedsync"], lowestLevel: "debug", sinks: ["memory"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["memory"] },
    ],
  });
  const write = (chunk: Uint8Array) => void lines.push(new TextDecoder().decode(chunk));
  Object.defineProperty(Deno.stdout, "writable", {
    value: new WritableStream({ write }),
    configurable: true,
  });
  return {
    check() {
      for (const line of lines.splice(0)) {
        assert.match(line, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u);
      }
    },
    [Symbol.dispose]() {
      delete (Deno.stdout as { writable?: unknown }).writable;
      resetSync();
    },
  };
}
