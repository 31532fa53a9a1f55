/**
 * Makes the pictures of the page in docs/images, of real servers; takes five minutes:
 *
 *     deno run -A tests/page/screenshots.ts
 *
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../library/package_imports.ts";
import { sleep, systemEnvironment } from "../../lib/base/environment.ts";
import { startChromium } from "../servers/chromium.ts";
import { type ServerProcess, startFleet } from "../servers/fleet.ts";
import { OpenPage } from "./open_page.ts";

const IMAGES = join(ROOT, "docs", "images");

/** So long updates are published before, for the lines to be seen. */
const MINUTES = 4;

const FEEDS = ["news", "weather", "podcasts", "science", "blog", "releases", "jobs", "sport"]
  .flatMap((name) =>
    ["example.com", "example.org", "example.net"].map((host) => `${name}.${host}`)
  );

const STRICT = `
import { RejectedUpdateError } from "${pathToFileURL(join(ROOT, "mod.ts"))}";

export default {
  name: "search",
  onUpdate({ content }) {
    if (content === "") throw new RejectedUpdateError("The feed has no items: is it cut off?");
  },
};
`;

async function publish(server: ServerProcess, feed: string, content = `${Math.random()}`) {
  const url = `https://${feed}/feed.xml`;
  await server.request("POST", "/v1/updates", { body: JSON.stringify({ url, content }) });
}

const store = await Deno.makeTempDir({ prefix: "feed-sync-" });
await using browser = await startChromium();
if (!browser) Deno.exit(1);
await using fleet = await startFleet(["web-1", "web-2", "web-3"], {
  files: { "strict.ts": STRICT },
  config: { store: `file:${store}`, presence: "5s", plugins: ["./strict.ts"] },
  safetyNetMs: 10 * 60_000,
});
const [web1, web2, web3] = fleet.servers;
const start = Date.now(), { clock } = systemEnvironment;
while (Date.now() - start < MINUTES * 60_000) {
  const wave = 1 + Math.sin((Date.now() - start) / 20_000);
  const server = [web1, web2, web2, web3, web3][Math.floor(Math.random() * 5)];
  await publish(server, FEEDS[Math.floor(Math.random() * FEEDS.length)]);
  await sleep(clock, 200 + 1500 * wave * Math.random());
}

const target = { origin: `http://${web1.address}`, token: web1.token };
const wide = { width: 1100, height: 740 };
{
  await using opened = await OpenPage.open(browser, target, {
    colorScheme: "dark",
    viewport: wide,
  });
  await opened.shows("#sentence", "All is well");
  await opened.page.screenshot({ path: join(IMAGES, "page-dark.png") });
}
{
  await using opened = await OpenPage.open(browser, target, {
    colorScheme: "light",
    viewport: wide,
  });
  await publish(web2, "jobs.example.net", "");
  await web3.kill();
  await opened.shows("#sentence", "2 problems");
  await opened.shows("#letters-heading", "1 dead letter");
  await opened.page.screenshot({ path: join(IMAGES, "page-light.png") });
  await opened.page.setViewportSize({ width: 390, height: 844 });
  await opened.page.screenshot({ path: join(IMAGES, "page-narrow.png") });
}
await Deno.remove(store, { recursive: true });
