import assert from "node:assert/strict";
import { feedFileName, hashedFileName } from "../../lib/files/feed_names.ts";
import { FeedLocator } from "../../lib/files/writing/feed_locator.ts";

const UPPER = "https://example.com/Feed", LOWER = "https://example.com/feed";

async function temporary() {
  const path = await Deno.makeTempDir();
  return {
    path,
    name: (name: string, url: string) =>
      Deno.writeTextFile(`${path}/${name}.json`, JSON.stringify({ url })),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("of two URLs that differ in case, the second gets a hashed name where case is not told", async () => {
  await using home = await temporary();
  const locator = new FeedLocator(home.path, { ignoresCase: true });
  assert.equal(await locator.nameOf(UPPER), feedFileName(UPPER));
  assert.equal(await locator.nameOf(LOWER), hashedFileName(LOWER));
  assert.equal(await locator.nameOf(UPPER), feedFileName(UPPER));
  const caseSensitive = new FeedLocator(home.path, { ignoresCase: false });
  assert.equal(await caseSensitive.nameOf(UPPER), feedFileName(UPPER));
  assert.equal(await caseSensitive.nameOf(LOWER), feedFileName(LOWER));
});

Deno.test("what is in the directory tells whose a name is, in every run", async () => {
  await using home = await temporary();
  // As it looks through the name of the one where case is not told.
  await home.name(feedFileName(LOWER), UPPER);
  for (let i = 0; i < 2; i++) {
    const locator = new FeedLocator(home.path, { ignoresCase: true });
    assert.equal(await locator.nameOf(LOWER), hashedFileName(LOWER));
    await home.name(hashedFileName(LOWER), LOWER);
  }
  // It stays where it is when the other is gone.
  await Deno.remove(`${home.path}/${feedFileName(LOWER)}.json`);
  const locator = new FeedLocator(home.path, { ignoresCase: true });
  assert.equal(await locator.nameOf(LOWER), hashedFileName(LOWER));
});

Deno.test("a file without a .feed.json is the one that its name is spelt after", async () => {
  await using home = await temporary();
  await Deno.writeTextFile(`${home.path}/${feedFileName(UPPER)}`, "x");
  // The system would find it by either name.
  await Deno.symlink(feedFileName(UPPER), `${home.path}/${feedFileName(LOWER)}`);
  const locator = new FeedLocator(home.path, { ignoresCase: true });
  assert.equal(await locator.nameOf(UPPER), feedFileName(UPPER));
});

Deno.test("a feed is found in the file that stands for it, also one that was named a moment ago", async () => {
  await using home = await temporary();
  const locator = new FeedLocator(home.path, { ignoresCase: false });
  await home.name("weather.feed", LOWER);
  await Deno.writeTextFile(`${home.path}/https___example.com_n.feed`, "x");
  assert.equal(await locator.nameOf(LOWER), "weather.feed");
  assert.equal(await locator.nameOf("https://example.com/n"), "https___example.com_n.feed");
  await Deno.remove(`${home.path}/weather.feed.json`);
  assert.equal(await locator.nameOf(LOWER), feedFileName(LOWER));
});

Deno.test("a feed is found in a file whose name is another form of its URL", async () => {
  await using home = await temporary();
  const forms = {
    "https://Example.com/up.xml": "https://example.com/up.xml",
    "https://root.example.com": "https://root.example.com/",
    "https://example.com:443/port.xml": "https://example.com/port.xml",
    "https://example.com/f.xml#top": "https://example.com/f.xml",
    "feed:https://example.com/ff.xml": "https://example.com/ff.xml",
    "https://m\u00fcnchen.de/x.xml": "https://xn--mnchen-3ya.de/x.xml",
  };
  const names = new Map<string, string>();
  for (const [form, url] of Object.entries(forms)) {
    names.set(url, `${encodeURIComponent(form)}.feed`);
    await Deno.writeTextFile(`${home.path}/${names.get(url)}`, "x");
  }
  const locator = new FeedLocator(home.path);
  for (const [form, url] of Object.entries(forms)) {
    for (const each of [form, url]) assert.equal(await locator.nameOf(each), names.get(url));
  }
});

Deno.test("an update under a URL as it was written goes to the file of the feed", async () => {
  await using home = await temporary();
  await Deno.writeTextFile(`${home.path}/${feedFileName(LOWER)}`, "x");
  const locator = new FeedLocator(home.path);
  assert.equal(await locator.nameOf("https://Example.com/feed#top"), feedFileName(LOWER));
});
