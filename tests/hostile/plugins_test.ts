import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MAX_URL_LENGTH } from "../../lib/feed_url.ts";
import exec from "../../plugins/exec.ts";
import mirror from "../../plugins/mirror.ts";
import sqlite from "../../plugins/sqlite.ts";
import webhook from "../../plugins/webhook.ts";
import { makeUpdate, start, temporaryDirectory } from "../plugins/harness.ts";
import { httpServer } from "../servers/http.ts";

/** URLs that are absolute, and that a path, a shell, a query or a header could be misled by. */
const URLS = [
  "https://example.com/../../../../etc/passwd",
  "https://example.com/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "file:///etc/passwd",
  "a:../../x",
  "a:/",
  "https://example.com/\r\nx-evil: 1",
  "https://example.com/'; DROP TABLE feeds; --",
  'https://example.com/$(touch evil)`touch evil`;touch evil|"',
  "https://example.com/\u202e\u2028\u{e0001}",
  "https://example.com/con/nul/aux.feed.json",
  "https://example.com/~".padEnd(300, "~"),
  "https://example.com/".padEnd(MAX_URL_LENGTH, "日"),
] as const;

const METADATA = { "__proto__x": 1, "x-evil\r\nx": "\r\nx-evil: 1", [`$'"; DROP`]: ["\0"] };

Deno.test("mirror writes into its directory only, whatever the URL and what lies there", async () => {
  await using home = await temporaryDirectory();
  const feeds = `${home.path}/feeds`;
  await Deno.writeTextFile(`${home.path}/outside`, "outside");
  await using plugin = await start(mirror, { directory: "feeds" }, home.path);
  for (const url of URLS) await plugin.update(makeUpdate({ url, metadata: METADATA }));
  const names = (await Array.fromAsync(Deno.readDir(feeds))).map(({ name }) => name);
  assert.equal(names.length, 2 * URLS.length);
  for (const name of names) assert.match(name, /^[^.][!-.0-~]*\.feed(\.json)?$/);
  // Links that others have put in place of the files lead nowhere.
  for (const name of names) {
    await Deno.remove(`${feeds}/${name}`);
    await Deno.symlink("../outside", `${feeds}/${name}`);
  }
  const time = new Date(Date.now() + 60_000).toISOString();
  for (const url of URLS) await plugin.update(makeUpdate({ url, content: "new", time }));
  assert.equal(await Deno.readTextFile(`${home.path}/outside`), "outside");
  for (const name of names) assert.ok((await Deno.lstat(`${feeds}/${name}`)).isFile, name);
});

Deno.test("exec hands over every URL that an environment can hold, and runs nothing but its command", async () => {
  await using home = await temporaryDirectory();
  await Deno.writeTextFile(
    `${home.path}/note.sh`,
    '#!/bin/sh\nprintf %s "$FEEDSYNC_URL" >> urls\nprintf "\\n\\n" >> urls\n',
    { mode: 0o755 },
  );
  await using plugin = await start(exec, { command: ["./note.sh"] }, home.path);
  for (const url of URLS) await plugin.update(makeUpdate({ url, metadata: METADATA }));
  const urls = await Deno.readTextFile(`${home.path}/urls`);
  assert.deepEqual(urls.split("\n\n").slice(0, -1), URLS);
  const names = (await Array.fromAsync(Deno.readDir(home.path))).map(({ name }) => name);
  assert.deepEqual(names.toSorted(), ["note.sh", "urls"]);
});

Deno.test("sqlite takes every URL and all metadata as values", async () => {
  await using home = await temporaryDirectory();
  {
    await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
    for (const [index, url] of URLS.entries()) {
      await plugin.update(makeUpdate({ url, metadata: METADATA, seq: index + 1 }));
    }
  }
  using database = new DatabaseSync(`${home.path}/feeds.db`);
  const rows = database.prepare("SELECT url, metadata FROM feeds ORDER BY seq").all();
  assert.deepEqual(rows.map(({ url }) => url), URLS);
  for (const { metadata } of rows) assert.deepEqual(JSON.parse(String(metadata)), METADATA);
});

Deno.test("webhook puts nothing of an update into headers but its id, and follows it nowhere", async () => {
  const received: { path: string; headers: Record<string, string>; url: string }[] = [];
  await using server = httpServer(async (request) => {
    const { pathname, search } = new URL(request.url);
    const { url } = await request.json();
    const headers = Object.fromEntries(request.headers);
    received.push({ path: pathname + search, headers, url });
    return new Response();
  });
  await using plugin = await start(webhook, {
    url: `${server.endpoint}/hook`,
    secret: `whsec_${btoa("a secret of a webhook, as one should be")}`,
  });
  for (const url of URLS) await plugin.update(makeUpdate({ url, metadata: METADATA }));
  assert.deepEqual(received.map(({ url }) => url), URLS);
  for (const { path, headers } of received) {
    assert.equal(path, "/hook");
    assert.doesNotMatch(JSON.stringify(headers), /evil/);
  }
});
