/** The page as it is served; tests/page shows it in a browser. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { PAGE, PAGE_FILES } from "../../lib/api/page/files.ts";
import { counted as countedHere, inWords as inWordsHere } from "../../lib/api/page/words.js";
import { counted, inWords } from "../../lib/fleet/status/words.ts";
import { ROOT } from "../library/package_imports.ts";
import { ApiUnderTest } from "./server.ts";

const FOLDER = join(ROOT, "lib", "api", "page");

Deno.test("the page and all that it loads are served, with a policy that forbids all else", async () => {
  await using server = await ApiUnderTest.start();
  const paths = ["/", ...PAGE_FILES.keys().map((name) => `/page/${name}`)];
  for (const path of paths) {
    const { status, headers, text } = await server.get(path);
    assert.equal(status, 200, path);
    const policy = headers.get("content-security-policy")!.split("; ");
    assert.ok(policy.includes("default-src 'none'"), path);
    assert.ok(policy.includes("frame-ancestors 'none'"), path);
    assert.ok(policy.includes("require-trusted-types-for 'script'"), path);
    assert.doesNotMatch(policy.join(), /unsafe|\*|https?:|data:/);
    assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
    assert.equal(headers.get("cache-control"), "no-store", "after an upgrade all files are new");
    assert.ok(text.length > 100, path);
  }
  const types = ["page.css", "main.js", "well.svg"].map(async (name) =>
    (await server.get(`/page/${name}`)).headers.get("content-type")
  );
  assert.deepEqual(await Promise.all(types), [
    "text/css; charset=utf-8",
    "text/javascript; charset=utf-8",
    "image/svg+xml; charset=utf-8",
  ]);
  for (const path of ["/page/", "/page/files.ts", "/page/..%2fapp.ts", "/page/toString"]) {
    assert.equal((await server.get(path)).status, 404, path);
  }
});

Deno.test("the page and its files need the token, for which a browser asks", async () => {
  await using server = await ApiUnderTest.start();
  for (const path of ["/", "/page/main.js", "/v1/events"]) {
    const response = await fetch(server.origin + path);
    assert.equal(response.status, 401, path);
    assert.match(response.headers.get("www-authenticate")!, /^Basic realm="feedsync"/);
    await response.body?.cancel();
  }
});

Deno.test("all files of the page are served, and all that are loaded are there", async () => {
  const assets = (await Array.fromAsync(Deno.readDir(FOLDER))).map(({ name }) => name)
    .filter((name) => /\.(js|css|svg)$/.test(name));
  assert.deepEqual([...PAGE_FILES.keys()].sort(), assets.sort());
  const loaded = [...PAGE.matchAll(/(?:src|href)="page\/([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(loaded, ["unknown.svg", "page.css", "main.js"]);
});

Deno.test("nothing of the page makes markup of text, or comes from elsewhere", () => {
  for (const [name, text] of [["page.html", PAGE], ...PAGE_FILES]) {
    const own = text.replaceAll("http://www.w3.org/2000/svg", "");
    assert.doesNotMatch(own, /\/\/[a-z0-9-]+\.[a-z]|@import|url\(/i, name);
    assert.doesNotMatch(
      own,
      /innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|srcdoc|\beval\b|new Function/,
      name,
    );
    assert.doesNotMatch(own, / style=| on[a-z]+="|<style|<script>/, name);
  }
});

Deno.test("the page has the same words as the other outputs", () => {
  for (const seconds of [0, 0.4, 1.5, 119.4, 119.6, 120, 7199, 7200, 172_799, 172_800, 1e9, -5]) {
    assert.equal(inWordsHere(seconds), inWords(seconds), String(seconds));
  }
  for (const count of [0, 1, 2, 1234]) {
    assert.equal(countedHere(count, "update"), counted(count, "update"));
  }
});
