import assert from "node:assert/strict";
import { feedFileName, hashedFileName } from "../../lib/files/feed_names.ts";
import { FeedPlaces } from "../../lib/files/places.ts";

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
  const places = new FeedPlaces(home.path, { foldsCase: true });
  assert.equal(await places.nameOf(UPPER), feedFileName(UPPER));
  assert.equal(await places.nameOf(LOWER), hashedFileName(LOWER));
  assert.equal(await places.nameOf(UPPER), feedFileName(UPPER));
  const telling = new FeedPlaces(home.path, { foldsCase: false });
  assert.equal(await telling.nameOf(UPPER), feedFileName(UPPER));
  assert.equal(await telling.nameOf(LOWER), feedFileName(LOWER));
});

Deno.test("what is in the directory tells whose a name is, in every run", async () => {
  await using home = await temporary();
  // As it looks through the name of the one where case is not told.
  await home.name(feedFileName(LOWER), UPPER);
  for (let i = 0; i < 2; i++) {
    const places = new FeedPlaces(home.path, { foldsCase: true });
    assert.equal(await places.nameOf(LOWER), hashedFileName(LOWER));
    await home.name(hashedFileName(LOWER), LOWER);
  }
  // It stays where it is when the other is gone.
  await Deno.remove(`${home.path}/${feedFileName(LOWER)}.json`);
  const places = new FeedPlaces(home.path, { foldsCase: true });
  assert.equal(await places.nameOf(LOWER), hashedFileName(LOWER));
});

Deno.test("a file without a .feed.json is the one that its name is spelt after", async () => {
  await using home = await temporary();
  await Deno.writeTextFile(`${home.path}/${feedFileName(UPPER)}`, "x");
  // The system would find it by either name.
  await Deno.symlink(feedFileName(UPPER), `${home.path}/${feedFileName(LOWER)}`);
  const places = new FeedPlaces(home.path, { foldsCase: true });
  assert.equal(await places.nameOf(UPPER), feedFileName(UPPER));
});

Deno.test("a feed is found in the file that stands for it, also one that was named a moment ago", async () => {
  await using home = await temporary();
  const places = new FeedPlaces(home.path, { foldsCase: false });
  await home.name("weather.feed", LOWER);
  await Deno.writeTextFile(`${home.path}/https___example.com_n.feed`, "x");
  assert.equal(await places.nameOf(LOWER), "weather.feed");
  assert.equal(await places.nameOf("https://example.com/n"), "https___example.com_n.feed");
  await Deno.remove(`${home.path}/weather.feed.json`);
  assert.equal(await places.nameOf(LOWER), feedFileName(LOWER));
});
