import assert from "node:assert/strict";
import { join } from "node:path";
import { makeKeyFile } from "../../lib/log/encryption/edit_keys.ts";
import { openStore } from "../../lib/stores/open.ts";
import { connect, publish, type Update, watch } from "../../mod.ts";
import { captureLog } from "../encryption/keys.ts";
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
