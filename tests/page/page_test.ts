/** The page beside real servers: what it shows, and what can be done with it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { StoreUnavailableError } from "../../lib/errors.ts";
import { ApiUnderTest, TOKEN } from "../api/server.ts";
import { ROOT } from "../library/package_imports.ts";
import { failing } from "../memory_store.ts";
import { type ServerProcess, startFleet, type TestFleet } from "../servers/fleet.ts";
import { browserTest, OpenPage } from "./open_page.ts";

/** A plugin that rejects some updates, until the file `cured` is there. */
const PICKY = `
import { RejectedUpdateError } from "${pathToFileURL(join(ROOT, "mod.ts"))}";

export default {
  name: "picky",
  async onUpdate({ url }) {
    if (!url.includes("poison")) return;
    const isCured = await Deno.stat("cured").then(() => true, () => false);
    if (!isCured) throw new RejectedUpdateError("The document is not complete");
  },
};
`;

function startServers(names: readonly string[]): Promise<TestFleet> {
  return startFleet(names, {
    files: { "picky.ts": PICKY },
    config: { presence: "1s", plugins: ["./picky.ts"] },
    safetyNetMs: 5 * 60_000, // Browsers are slow where other tests run at the same time.
  });
}

function openPage(
  browser: Parameters<typeof OpenPage.open>[0],
  { address, token }: ServerProcess,
): Promise<OpenPage> {
  return OpenPage.open(browser, { origin: `http://${address}`, token });
}

async function publish(server: ServerProcess, url: string): Promise<void> {
  await server.request("POST", "/v1/updates", { body: JSON.stringify({ url, content: "<rss/>" }) });
}

browserTest("a browser asks for the token, and shows nothing without it", async (browser) => {
  await using fleet = await startServers(["web-1"]);
  const [{ address, token }] = fleet.servers;
  const enter = async (password?: string) => {
    const httpCredentials = password === undefined ? undefined : { username: "x", password };
    const context = await browser.newContext({ httpCredentials });
    try {
      const page = await context.newPage(), response = await page.goto(`http://${address}/`);
      return response?.status();
    } catch (error) {
      // This is what a browser says that has asked in vain.
      assert.match(String(error), /ERR_INVALID_AUTH_CREDENTIALS/);
      return 401;
    } finally {
      await context.close();
    }
  };
  assert.equal(await enter(), 401);
  assert.equal(await enter(`${token}x`), 401);
  assert.equal(await enter(token), 200);
});

browserTest("updates arrive, and servers that die are told", async (browser) => {
  await using fleet = await startServers(["web-1", "web-2", "web-3"]);
  const [web1, web2, web3] = fleet.servers;
  await using opened = await openPage(browser, web1);
  await opened.shows("#sentence", /^All is well: 3 servers$/);
  assert.equal(await opened.page.title(), "✓ web-1: All is well: 3 servers");
  assert.equal(await opened.page.getAttribute("#icon", "href"), "page/well.svg");
  await opened.assertAccessible();

  await publish(web2, "https://example.com/received");
  await opened.shows("#update-list li:first-child", /web-2\s*https:\/\/example.com\/received/);
  await publish(web1, "https://example.com/own");
  await opened.shows("#update-list li:first-child", /web-1.*own published here/s);
  await web2.request("DELETE", "/v1/feeds?url=https://example.com/received");
  await opened.shows("#update-list li:first-child", /received gone/);

  await opened.press("Pause");
  await publish(web2, "https://example.com/paused");
  await opened.shows("#updates-missed", "1 new update");
  assert.equal(await opened.page.locator("#update-list", { hasText: "/paused" }).count(), 0);
  await opened.press("Go on");
  await opened.shows("#update-list li:first-child", "/paused");

  await web3.kill();
  await opened.shows("#sentence", /^1 problem: gone \(web-3\)$/);
  await opened.shows("#problem-list", /web-3: gone.*See whether it runs/s);
  await opened.shows('tr[data-level="gone"]', /web-3\s*gone, \d+ s ago/);
  assert.match(await opened.page.title(), /^✗ web-1: 1 problem/);
  await opened.assertAccessible();
  opened.assertFlawless();
});

browserTest("dead letters are retried and dropped, with the keyboard, too", async (browser) => {
  await using fleet = await startServers(["web-1", "web-2"]);
  const [web1, web2] = fleet.servers;
  await using opened = await openPage(browser, web1);
  const { page } = opened;
  await opened.shows("#sentence", "All is well");
  await opened.hides("#letters");
  for (const name of ["a", "b", "c"]) await publish(web2, `https://example.com/poison/${name}`);
  await opened.shows("#letters-heading", "3 dead letters");
  await opened.shows("#letter-list li:first-child", /poison\/a\s*picky.*document is not complete/s);
  await opened.shows("#sentence", "1 problem: dead letters");
  await opened.shows("#problem-list", "Retry or drop below");
  await opened.assertAccessible();

  await opened.press(/^Retry https:\/\/example.com\/poison\/a/);
  await opened.shows("#letters-said", "Failed again");
  await Deno.writeTextFile(join(fleet.path, "cured"), "");
  await opened.press(/^Retry https:\/\/example.com\/poison\/a/);
  await opened.shows("#letters-said", "Applied");
  await opened.shows("#letters-heading", "2 dead letters");

  await page.getByRole("button", { name: /^Drop .*poison\/b/ }).focus();
  await page.keyboard.press("Enter");
  await opened.shows("#drop-what", "https://example.com/poison/b");
  await opened.assertAccessible();
  await page.keyboard.press("Enter"); // To keep it comes first.
  await opened.hides("#drop");
  assert.equal(await page.locator("#letter-list li").count(), 2);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await opened.shows("#letters-heading", "1 dead letter");
  const focused = await page.evaluate("document.activeElement.getAttribute('aria-label')");
  assert.match(String(focused), /^Retry .*poison\/c/, "the focus is at what takes its place");

  await page.keyboard.press("Enter");
  await opened.shows("#letters-said", "Applied");
  await opened.shows("#sentence", /^All is well: 2 servers$/);
  assert.equal(await web1.request("GET", "/v1/dead-letters"), "[]");
  opened.assertFlawless();
});

browserTest("the page comes back when feedsync is restarted", async (browser) => {
  await using fleet = await startServers(["web-1", "web-2"]);
  const [web1, web2] = fleet.servers;
  await using opened = await openPage(browser, web1);
  await publish(web2, "https://example.com/before");
  await opened.shows("#update-list", "/before");
  opened.assertFlawless();
  await web1.kill();
  await opened.shows("#sentence", "web-1 does not answer");
  await opened.shows("#advice", "This page tries again by itself");
  await opened.assertAccessible();
  await web1.start();
  await opened.shows("#connection", "live");
  await opened.shows("#sentence", "All is well");
  await publish(web2, "https://example.com/after");
  await opened.shows("#update-list li:first-child", "/after");
  // That nobody answers is written to the console by the browser itself.
  opened.assertFlawless([/Failed to load resource: net::ERR_/]);
});

browserTest("a store that is away is told, and what waits for it", async (browser) => {
  await using server = await ApiUnderTest.start({ publishTimeout: 20 });
  const isAway = failing(new StoreUnavailableError("The store is away"));
  const mend = [server.store.before("list", isAway), server.store.before("put", isAway)];
  await server.post("/v1/updates", { url: "https://example.com/", content: "a" });
  await using opened = await OpenPage.open(browser, { origin: server.origin, token: TOKEN });
  await opened.shows("#sentence", "1 problem: the store does not answer");
  await opened.shows("#advice", "The store is away. 1 update waits here, safely.");
  await opened.assertAccessible();
  for (const undo of mend) undo();
  await opened.shows("#sentence", "nobody"); // Nobody watches here.
  await opened.shows("#update-list", "published here");
  opened.assertFlawless();
});

browserTest("events are read only while the page is looked at", async (browser) => {
  await using fleet = await startServers(["web-1"]);
  const [web1] = fleet.servers;
  await using opened = await openPage(browser, web1);
  const { page } = opened;
  const show = (isHidden: boolean) =>
    page.evaluate(
      `Object.defineProperty(document, "hidden", { get: () => ${isHidden}, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"))`,
    );
  await opened.shows("#sentence", "All is well");
  const ended = page.waitForEvent("requestfailed", { predicate: (r) => /events$/.test(r.url()) });
  await show(true);
  await ended;
  await opened.shows("#connection", "hidden");
  assert.equal(await page.title(), "web-1", "it does not say what nobody knows");
  await show(false);
  await opened.shows("#connection", "live");
  await opened.shows("#sentence", "All is well");
  assert.match(await page.title(), /^✓ web-1/);
  opened.assertFlawless();
});

browserTest("the page fits narrow screens, and is readable dark and light", async (browser) => {
  await using fleet = await startServers(["web-1", "web-2"]);
  const [web1, web2] = fleet.servers;
  for (const colorScheme of ["dark", "light"] as const) {
    await using opened = await OpenPage.open(
      browser,
      { origin: `http://${web1.address}`, token: web1.token },
      { colorScheme, viewport: { width: 390, height: 844 } },
    );
    await publish(web2, `https://example.com/poison/${"long".repeat(100)}`);
    await opened.shows("#letters-heading", "1 dead letter");
    await opened.shows("#sentence", "dead letters");
    const width = await opened.page.evaluate("document.documentElement.scrollWidth");
    assert.equal(width, 390, "nothing sticks out");
    await opened.assertAccessible();
    opened.assertFlawless();
  }
});
