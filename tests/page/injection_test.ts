/** What other servers, publishers and plugins write is shown as text, wherever it is shown. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RejectedUpdateError } from "../../lib/errors.ts";
import { objectName } from "../../lib/log/names.ts";
import { definePlugin } from "../../lib/plugin.ts";
import { ApiUnderTest, TOKEN } from "../api/server.ts";
import { named, report } from "../fleet/status/reports.ts";
import { bodyOf, lineOf } from "../hostile/values.ts";
import { browserTest, OpenPage } from "./open_page.ts";

/** Text that would run as a script if it were taken for markup, in a place that it names. */
const inject = (place: string) =>
  `"'><img src=x onerror="pwned='${place}'"><script>pwned='${place}'</script>{{7*7}}`;

/** URLs that no publisher of this version writes, but others may. */
const URLS = [
  `a:${inject("url")}`,
  `javascript:pwned='link'//${inject("link")}`,
  `https://example.com/${inject("path")}`,
  "https://example.com/\u202egro.elpmaxe//:sptth\u2066",
  `https://me:${"secret"}@example.com/`,
];

/** A presence whose every text is hostile. */
async function present({ connection }: ApiUnderTest, server: string): Promise<void> {
  const { log } = connection.parts!;
  const turns = { feeds: 1, owned: 1, overdue: 0, slowDomains: [inject("domain")] };
  const hostile = report({
    version: `<b>${inject("version")}`,
    deadLetters: { [inject("plugin")]: 3 },
    lastError: { message: inject("failure"), time: new Date(log.now()).toISOString() },
    streams: [{
      stream: "web-9_aaaaaaaa",
      applied: 1,
      end: 2,
      behindSeconds: 999,
      held: inject("held"),
    }],
    turns: { ...turns, suffixes: inject("suffixes") },
  }, log.now());
  await log.fleet.writePresence(named(server), hostile);
}

/** Updates as an older or a hostile server writes them. */
async function publishRaw({ store }: ApiUnderTest): Promise<void> {
  const name = objectName({
    ...{ kind: "tail", stream: "web-2_aaaaaaaa", writer: "wwwwwwww" },
    ...{ first: 1, last: URLS.length },
  });
  const lines = URLS.map((url, index) =>
    lineOf(index + 1, { url: JSON.stringify(url), content: JSON.stringify(inject("content")) })
  );
  await store.put(name.key, bodyOf(name, lines));
}

browserTest("names, URLs, errors and reports of others are text", async (browser) => {
  const plugin = definePlugin({
    name: "picky",
    onUpdate: () => Promise.reject(new RejectedUpdateError(inject("error"))),
  });
  await using server = await ApiUnderTest.start({ watching: true, plugins: [plugin as never] });
  await present(server, "web-2");
  await publishRaw(server);
  await server.watcher!.poll();
  await using opened = await OpenPage.open(browser, { origin: server.origin, token: TOKEN });
  const { page } = opened;
  await opened.shows("#letters-heading", `${URLS.length} dead letters`);
  await opened.shows("#fleet-rows", "web-2");

  const text = await page.innerText("body");
  for (const place of ["url", "link", "path", "error", "plugin", "held", "failure", "domain"]) {
    assert.ok(text.includes(inject(place)), `${place} is shown as it is: ${text}`);
  }
  assert.ok(text.includes(`<b>${inject("version")}`.slice(0, 16)));
  assert.ok(text.includes("\\u202egro.elpmaxe"), "nothing turns the direction of text");
  assert.doesNotMatch(text, /pwned='content'|secret/);
  assert.match(await page.innerText("#sentence"), /^3 problems: .*dead letters \(web-1\)/);

  await opened.press(/^Retry a:/);
  await opened.shows("#letters-said", "Failed again");
  await opened.press("Retry all");
  await opened.shows("#letters-said", `0 applied, ${URLS.length} failed again`);
  await opened.press(/^Drop a:/);
  await opened.shows("#drop-what", inject("url"));
  const made = await page.evaluate(`[
    typeof pwned,
    document.querySelectorAll("img, iframe, object, embed, form, a, base, b").length,
    document.scripts.length,
    [...document.querySelectorAll("*")].some((made) => made.onerror || made.style?.length > 0),
  ]`);
  assert.deepEqual(made, ["undefined", 0, 1, false]);
  opened.assertFlawless();
});

browserTest("a feed that is a page with a script does not run", async (browser) => {
  await using server = await ApiUnderTest.start();
  const url = "https://example.com/", path = `/v1/feeds?url=${encodeURIComponent(url)}`;
  const script = `fetch("${path}", { method: "DELETE" })`;
  const xhtml = `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">
    <head><title>feed</title></head><body onload='${script}'><script>${script}</script></body></html>`;
  for (const body of [xhtml, new TextEncoder().encode(xhtml)]) {
    const headers = { "content-type": "application/xhtml+xml" };
    await server.request("POST", `/v1/updates?url=${url}`, { body, headers });
    await using opened = await OpenPage.open(browser, { origin: server.origin, token: TOKEN });
    const { page } = opened;
    const download = page.waitForEvent("download");
    await assert.rejects(page.goto(server.origin + path), /Download is starting/);
    const saved = join(await Deno.makeTempDir(), "feed");
    await (await download).saveAs(saved);
    assert.equal(await Deno.readTextFile(saved), xhtml, "it is saved, and not shown");
    await Deno.remove(join(saved, ".."), { recursive: true });
    // Nor can the page be made to show it.
    await page.goto(server.origin);
    const frame = `new Promise((resolve) => {
      const frame = document.body.appendChild(document.createElement("iframe"));
      frame.onload = () => resolve(frame.contentDocument?.title ?? "nothing");
      frame.src = "${path}";
    })`;
    assert.equal(await page.evaluate(frame), "nothing");
    await page.goto(`${server.origin}${path}&as=update`);
    assert.equal(await page.title(), "");
  }
  assert.equal((await server.get(path)).text, xhtml, "it is still there");
});
