import assert from "node:assert/strict";
import { join } from "node:path";
import { makeKeyFile } from "../../lib/log/encryption/edit_keys.ts";
import { openStore } from "../../lib/stores/open.ts";
import { type Config, connect, publish, type Update, watch } from "../../mod.ts";
import { captureLog, Keys } from "../encryption/keys.ts";
import { onEveryStore } from "./stores.ts";

onEveryStore("encrypted updates arrive, but not from another prefix", async ({ config }) => {
  const directory = await Deno.makeTempDir();
  using log = captureLog();
  try {
    const keys = join(directory, "keys.json");
    await makeKeyFile(keys);
    const encrypted = { ...config, encryption: { keys } };
    await using web1 = await connect({ ...encrypted, server: "web-1" });
    for (let i = 0; i < 12; i++) await publish(web1, { url: "https://example.com/", content: i });

    const received: Update[] = [];
    await using web2 = await connect({ ...encrypted, server: "web-2" });
    await using watcher = watch(web2, (update) => void received.push(update), { manual: true });
    await watcher.poll();
    assert.deepEqual(received.map(({ content }) => content), [...Array(12).keys()]);

    const isBucket = config.store.startsWith("s3:");
    const elsewhere = isBucket ? `${config.store}/elsewhere` : `${config.store}-elsewhere`;
    await using from = await openStore(config.store, config.s3);
    await using to = await openStore(elsewhere, config.s3);
    for await (const { key } of from.list("tail/")) await to.put(key, (await from.get(key))!);
    for await (const { key } of from.list("segments/")) await to.put(key, (await from.get(key))!);
    const moved: Update[] = [];
    await using web3 = await connect({ ...encrypted, store: elsewhere, server: "web-3" });
    await using there = watch(web3, (update) => void moved.push(update), { manual: true });
    await there.poll();
    // A directory has no name that is bound: it may be moved.
    assert.equal(moved.length, isBucket ? 0 : 12);
    assert.equal(log.lines.some((line) => line.includes("it was encrypted as")), isBucket);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

onEveryStore(
  "a server whose keys are forgotten publishes nothing until it has them",
  async ({ config }) => {
    await using keys = await Keys.make();
    const encrypted = { ...config, encryption: { keys: keys.path } };
    const state = join(keys.directory, "web-2.db");
    const update = (name: string) => ({ url: `https://example.com/${name}`, content: name });
    await using web1 = await connect({ ...encrypted, server: "web-1" });
    await publish(web1, update("secret"));
    {
      await using web2 = await connect({ ...config, server: "web-2", state });
      await assert.rejects(publish(web2, update("queued")), {
        name: "ConfigError",
        message: /are encrypted \(tail\/web-1_.*'encryption\.keys'.*1 update is queued and safe/,
      });
    }
    await using web2 = await connect({ ...encrypted, server: "web-2", state });
    await publish(web2, update("later"));

    const received: unknown[] = [];
    await using web3 = await connect({ ...encrypted, server: "web-3" });
    const note = ({ content }: Update) => void received.push(content);
    await using watcher = watch(web3, note, { manual: true });
    await watcher.poll();
    assert.deepEqual(received.toSorted(), ["later", "queued", "secret"]);
  },
);

onEveryStore(
  "a fleet is switched to encryption, once every server is told so",
  async ({ config }) => {
    await using keys = await Keys.make();
    const state = (server: string) => join(keys.directory, `${server}.db`);
    async function publishes(server: string, encryption?: Config["encryption"]) {
      await using sync = await connect({ ...config, server, state: state(server), encryption });
      await publish(sync, { url: `https://example.com/${server}`, content: "<rss/>" });
    }
    for (const server of ["web-1", "web-2"]) await publishes(server);
    await assert.rejects(publishes("web-1", { keys: keys.path }), {
      name: "ConfigError",
      message: /are not encrypted \(tail\/.*'encryption\.allowPlaintext'/,
    });
    const switching = { keys: keys.path, allowPlaintext: true };
    await publishes("web-1", switching);
    await publishes("web-2"); // It is not restarted yet.
    await publishes("web-2", switching);
    for (const server of ["web-1", "web-2", "web-3"]) await publishes(server, { keys: keys.path });
  },
);
