import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../../lib/errors.ts";
import { openStore } from "../../lib/stores/open.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { bytes, keys } from "./contract.ts";

Deno.test("openStore() opens a directory, relative ones from where it is told", async () => {
  const directory = await Deno.makeTempDir({ prefix: "feedsync store " });
  const urls = ["file:a/b", `file:${directory}/a/b`, `file://${encodeURI(directory)}/a/b`];
  for (const url of urls) {
    await using store = await openStore(url, {}, { directory });
    assert.equal(store.url, `file:${join(directory, "a", "b")}`);
    await store.put("c", bytes("x"));
    assert.ok((await Deno.stat(join(directory, "a", "b", "c"))).isFile);
    assert.deepEqual(await store.delete(["c"]), []);
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("openStore() opens a bucket, and keys are relative to the prefix", async () => {
  await using service = await fauxqsServer("feed-sync");
  const urls: Record<string, string> = {
    "s3://feed-sync": "a",
    "s3://feed-sync/": "a",
    "s3://feed-sync/p": "p/a",
    "s3://feed-sync//p//q/": "p/q/a",
  };
  for (const [url, key] of Object.entries(urls)) {
    await using store = await openStore(url, service);
    await store.put("a", bytes("x"));
    assert.deepEqual(await keys(store, ""), ["a"]);
    const response = await fetch(`${service.endpoint}/feed-sync/${key}`, { method: "HEAD" });
    assert.equal(response.status, 200, key);
    assert.deepEqual(await store.delete(["a"]), []);
  }
  await using store = await openStore("s3://feed-sync//p//q/", service);
  assert.equal(store.url, "s3://feed-sync/p/q");
});

Deno.test("openStore() says what a URL looks like", async () => {
  const wrong = [
    "",
    "feed-sync",
    "s3:",
    "s3://",
    "s3:///p",
    "s3:feed-sync",
    "s3://feed-sync?region=a",
    "s3://feed-sync/../other",
    "s3://key:secret@feed-sync/p",
    "file:",
    "file://host/path",
    "https://example.com/bucket",
  ];
  for (const url of wrong) {
    await assert.rejects(openStore(url, { endpoint: "http://127.0.0.1:9" }), (error) => {
      assert.ok(error instanceof ConfigError, url);
      assert.match(error.message, /must look like "s3:\/\/bucket\/prefix" or "file:path"/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});

Deno.test("the SDK is loaded only for buckets", async () => {
  const entry = fileURLToPath(new URL("../../lib/stores/open.ts", import.meta.url));
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json", entry] });
  const { modules } = JSON.parse(new TextDecoder().decode((await command.output()).stdout));
  const loaded = new Set<string>();
  const visit = (specifier: string) => {
    if (loaded.has(specifier)) return;
    loaded.add(specifier);
    const module = modules.find((module: { specifier: string }) => module.specifier === specifier);
    for (const { isDynamic, code } of module?.dependencies ?? []) {
      if (!isDynamic && code) visit(code.specifier);
    }
  };
  visit(modules.find((module: { local: string }) => module.local === entry).specifier);
  assert.ok(
    modules.some(({ specifier }: { specifier: string }) => specifier.endsWith("s3_store.ts")),
  );
  assert.ok([...loaded].some((specifier) => specifier.endsWith("directory_store.ts")));
  assert.deepEqual([...loaded].filter((specifier) => /npm:|stores\/s3/.test(specifier)), []);
});
