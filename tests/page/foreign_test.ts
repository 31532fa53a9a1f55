/** Pages of others, in a browser that knows the token: none of them can use the API. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { Connection } from "../../lib/connection.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { RejectedUpdateError } from "../../lib/errors.ts";
import { definePlugin } from "../../lib/plugin.ts";
import { publish } from "../../lib/publish.ts";
import { ApiUnderTest, TOKEN } from "../api/server.ts";
import { httpServer } from "../servers/http.ts";
import { browserTest } from "./open_page.ts";

/** Names that lead to this machine. */
const NAMES = ["--host-resolver-rules=MAP *.example 127.0.0.1"];

/** What a page can try: each resolves to what it has learned or done, or to "refused". */
const ATTEMPTS = `
const api = API;
const attempt = (work) => Promise.resolve().then(work).catch(() => "refused");
const loaded = (element, url) => new Promise((resolve) => {
  element.onload = () => resolve("loaded " + url);
  element.onerror = () => resolve("refused");
  element.src = url;
  document.body.append(element);
});
const json = { "Content-Type": "application/json" };
const letters = api + "/v1/dead-letters";
const text = (url, init) => fetch(url, { credentials: "include", ...init }).then((it) => it.text());
/** No error tells that a frame or a form was refused: what was done shows it. */
const sent = (frame, form) => new Promise((resolve) => {
  frame.onload = () => setTimeout(() => resolve("refused"), 100);
  document.body.append(frame);
  form?.submit();
});
const formTo = (action, target) => {
  const form = document.body.appendChild(document.createElement("form"));
  Object.assign(form, { action, target, method: "post", enctype: "text/plain" });
  const field = form.appendChild(document.createElement("input"));
  Object.assign(field, { name: '{"ids":[1], "x":"', value: '"}' });
  return form;
};
const frame = (members) => Object.assign(document.createElement("iframe"), members);
const html = (url) => "<form method=post enctype=text/plain action='" + url + "'>" +
  "<input name=a value=b></form><script>document.forms[0].submit()</script>";
Promise.all([
  attempt(() => loaded(new Image(), api + "/page/well.svg")),
  attempt(() => loaded(document.createElement("script"), api + "/page/main.js")),
  attempt(() => text(api + "/v1/status")),
  attempt(() => text(api + "/")),
  attempt(() => text(letters + "?id=1", { method: "DELETE" })),
  attempt(() => text(letters + "/retry", { method: "POST", headers: json, body: "{}" })),
  attempt(() => text(letters + "/retry", { method: "POST", mode: "no-cors", body: "{}" })),
  attempt(() => text(api + "/v1/updates", { method: "POST", mode: "no-cors", body: "{}" })),
  attempt(() => new Promise((resolve) => {
    const source = new EventSource(api + "/v1/events", { withCredentials: true });
    source.onmessage = source.onopen = () => resolve("events");
    source.onerror = () => resolve("refused");
  })),
  attempt(() => sent(frame({ name: "a" }), formTo(letters + "/retry", "a"))),
  attempt(() => sent(frame({ name: "b" }), formTo(api + "/v1/updates", "b"))),
  attempt(() => sent(frame({ src: api + "/" }))),
  attempt(() => sent(frame({
    sandbox: "allow-scripts allow-forms", srcdoc: html(letters + "/retry"),
  }))),
])`;

/** A server with a dead letter that everybody is after. */
async function serverWithLetter() {
  let calls = 0;
  const plugin = definePlugin({
    name: "picky",
    onUpdate() {
      calls++;
      throw new RejectedUpdateError("Not this one");
    },
  });
  const server = await ApiUnderTest.start({ watching: true, plugins: [plugin as never] });
  await using other = new Connection(resolveConfig({ server: "web-2" }), server.store);
  await publish(other, { url: "https://example.com/", content: "a" });
  await server.watcher!.poll();
  return {
    server,
    async assertUntouched() {
      assert.equal(calls, 1, "nothing was retried");
      assert.equal((await server.get("/v1/dead-letters")).json.length, 1);
      assert.equal(server.connection.parts!.state.outbox.lastRow(), 0, "nothing was published");
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A page at which the user has given the token for the API before. */
async function pageWithToken(browser: Browser, { origin }: ApiUnderTest): Promise<Page> {
  const httpCredentials = { username: "", password: TOKEN };
  const page = await (await browser.newContext({ httpCredentials })).newPage();
  assert.equal((await page.goto(origin))?.status(), 200);
  return page;
}

/** Has the page at `url` try everything; fails unless all of it was refused by the API. */
async function assertRefused(page: Page, url: string, { origin }: ApiUnderTest): Promise<void> {
  await page.goto(url);
  const statuses: number[] = [];
  page.on("response", (response) => {
    if (response.url().startsWith(origin)) statuses.push(response.status());
  });
  const results = await page.evaluate(ATTEMPTS.replace("API", JSON.stringify(origin)));
  // With no-cors, a page learns nothing, not even that it was refused.
  assert.deepEqual(
    results,
    (results as string[]).map((_, index) => index === 6 || index === 7 ? "" : "refused"),
    url,
  );
  assert.ok(statuses.length > 5, `${url}: what was sent has arrived: ${statuses}`);
  assert.deepEqual(new Set(statuses), new Set([403]), url);
}

browserTest("pages of other origins, and files, cannot use the API", async (browser) => {
  await using target = await serverWithLetter();
  const { server } = target;
  const evil = "<!DOCTYPE html><title>evil</title><body>";
  await using http = httpServer(() =>
    new Response(evil, { headers: { "content-type": "text/html" } })
  );
  const { port } = new URL(http.endpoint);
  const directory = await Deno.makeTempDir();
  try {
    const file = join(directory, "evil.html");
    await Deno.writeTextFile(file, evil);
    const urls = [
      `http://127.0.0.1:${port}/`, // The same site.
      `http://localhost:${port}/`,
      `http://evil.example:${port}/`,
      pathToFileURL(file).href,
    ];
    for (const url of urls) {
      const page = await pageWithToken(browser, server);
      await assertRefused(page, url, server);
      await target.assertUntouched();
      await page.context().close();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}, NAMES);

browserTest("a name that leads here is not the API's", async (browser) => {
  await using target = await serverWithLetter();
  const page = await pageWithToken(browser, target.server);
  const rebound = `http://rebind.example:${target.server.port}`;
  for (const path of ["/", "/v1/dead-letters", "/page/main.js"]) {
    const response = await page.goto(rebound + path);
    assert.equal(response?.status(), 403);
    assert.match(await page.textContent("body") ?? "", /ForbiddenError/);
  }
  const drop = `fetch("/v1/dead-letters?id=1", { method: "DELETE" }).then(({ status }) => status)`;
  assert.equal(await page.evaluate(drop), 403, "although it is of the same origin there");
  await target.assertUntouched();
}, NAMES);
