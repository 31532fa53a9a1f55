import assert from "node:assert/strict";
import { identifyFeed, metadataFor } from "../../lib/files/feed_json.ts";
import { urlOfName } from "../../lib/files/feed_names.ts";
import { contentFromBytes } from "../../lib/update.ts";

/** Identifies a feed with this `.feed.json` beside it. */
async function identify(name: string, details: string | Uint8Array) {
  const directory = await Deno.makeTempDir();
  try {
    const bytes = typeof details === "string" ? new TextEncoder().encode(details) : details;
    await Deno.writeFile(`${directory}/${name}.json`, bytes);
    return await identifyFeed(name, `${directory}/${name}`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("the .feed.json beside a file decides before its name", async () => {
  const details = '{"url":"https://b.example/","metadata":{"etag":"x"},"id":"1","server":"s"}';
  assert.deepEqual(await identify("https___a.example_.feed", details), {
    url: "https://b.example/",
    metadata: { etag: "x" },
  });
});

Deno.test("a .feed.json may begin with a byte order mark, in each encoding that has one", async () => {
  const text = '{"url":"https://b.example/é"}';
  const units = (big: boolean) =>
    [..."\ufeff" + text].map((character) => character.charCodeAt(0))
      .flatMap((unit) => big ? [unit >> 8, unit & 255] : [unit & 255, unit >> 8]);
  for (
    const details of [
      new TextEncoder().encode(`\ufeff${text}`),
      new Uint8Array(units(false)),
      new Uint8Array(units(true)),
    ]
  ) {
    assert.equal(
      (await identify("https___a.example_.feed", details)).url,
      "https://b.example/%C3%A9",
    );
  }
});

Deno.test("metadata goes with what it came with; what a person wrote with anything", () => {
  const url = "https://b.example/", metadata = { etag: "x" };
  assert.deepEqual(metadataFor({ url, metadata }, "hash"), metadata);
  const origin = { time: 1, hash: "hash" };
  assert.deepEqual(metadataFor({ url, metadata, origin }, "hash"), metadata);
  assert.equal(metadataFor({ url, metadata, origin }, "other"), undefined);
  assert.equal(metadataFor({ url, metadata, origin: { time: 1 } }, "hash"), undefined);
});

Deno.test("both forms of file names give the URL", () => {
  assert.equal(
    urlOfName("https%3A%2F%2Fexample.com%2Ffeed.xml.feed"),
    "https://example.com/feed.xml",
  );
  assert.equal(urlOfName("https___example.com_feed.xml.feed"), "https://example.com/feed.xml");
  assert.equal(urlOfName("notes.feed"), undefined);
});

Deno.test("bytes of a name that are not UTF-8 are percent-encoded in the URL, in both forms", () => {
  assert.equal(urlOfName("https___a.example_caf\ufffdE9.feed"), "https://a.example/caf%E9");
  assert.equal(urlOfName("https%3A%2F%2Fa.example%2Fcaf\ufffdE9.feed"), "https://a.example/caf%E9");
});

Deno.test("the URL of a file is normalised; what cannot be published stays as it is written", async () => {
  assert.equal(
    urlOfName("HTTPS%3A%2F%2FExample.com%3A443%2Ffeed%23x.feed"),
    "https://example.com/feed",
  );
  assert.equal(urlOfName("HTTP___Example.com_feed.feed"), "http://example.com/feed");
  const urls = {
    "FEED:HTTPS://B.example": "https://b.example/",
    " https://b.example": " https://b.example",
  };
  for (const [written, url] of Object.entries(urls)) {
    const feed = await identify("x.feed", JSON.stringify({ url: written }));
    assert.equal(feed.url, url);
  }
});

for (
  const [details, reason] of [
    ["{", "JSON"],
    ["", "JSON"],
    ["[]", "it is not a JSON object"],
    ["null", "it is not a JSON object"],
    ["{}", '"url" must be an absolute URL: current value is undefined'],
    ['{"url":"/feed"}', '"url" must be an absolute URL: current value is "/feed"'],
    ['{"url":["https://a.example/"]}', '"url" must be an absolute URL'],
    ['{"url":"https://a.example/","metadata":"x"}', '"metadata" must be a JSON object'],
    ['{"url":"https://a.example/","metadata":null}', '"metadata" must be a JSON object'],
  ]
) {
  Deno.test(`a .feed.json with '${details}' is refused by name, not passed over`, async () => {
    await assert.rejects(identify("https___a.example_.feed", details), (error: Error) => {
      assert.ok(error.message.includes("'https___a.example_.feed.json'"), error.message);
      assert.ok(error.message.includes(reason), error.message);
      return true;
    });
  });
}

Deno.test("UTF-8 is text, with its byte order mark; anything else stays bytes", () => {
  const bytes = (...values: number[]) => new Uint8Array(values);
  assert.equal(contentFromBytes(bytes(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
  assert.equal(contentFromBytes(bytes()), "");
  assert.equal(contentFromBytes(bytes(0)), "\0");
  for (
    const other of [
      bytes(0x63, 0xe9),
      bytes(0xff, 0xfe, 0x61, 0),
      bytes(0xed, 0xa0, 0x80),
      bytes(0xc3),
    ]
  ) {
    assert.equal(contentFromBytes(other), other);
  }
});

Deno.test("text has the same bytes as the file that it was read from", () => {
  const random = crypto.getRandomValues(new Uint8Array(20_000));
  for (let i = 0; i < random.length; i += 4) {
    const part = random.subarray(i, i + 4).map((byte, j) => j < 2 ? byte : byte & 0x7f);
    const content = contentFromBytes(part);
    const again = typeof content === "string" ? new TextEncoder().encode(content) : content;
    assert.deepEqual(again, part);
  }
});
