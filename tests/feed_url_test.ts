import fc from "fast-check";
import assert from "node:assert/strict";
import { InvalidUpdateError } from "../lib/errors.ts";
import {
  feedIdentity,
  isReadableFeedUrl,
  MAX_URL_LENGTH,
  normalizeFeedUrl,
  shownUrl,
} from "../lib/feed_url.ts";

const FEED = "https://example.com/feed.xml";

Deno.test("normalizeFeedUrl() gives every spelling of a URL one form", () => {
  const spellings: Record<string, readonly string[]> = {
    [FEED]: [
      FEED,
      "HTTPS://EXAMPLE.com/feed.xml",
      "https://example.com:443/feed.xml",
      "https://example.com/feed.xml#",
      "https://example.com/feed.xml#latest",
      "https://example.com/a/../feed.xml",
      "https:\\\\example.com\\feed.xml",
      "https:/example.com/feed.xml",
      "feed:https://example.com/feed.xml",
      "FEED:https://Example.com/feed.xml",
      "feed:feed:https://example.com/feed.xml",
    ],
    "http://example.com/": [
      "http://example.com",
      "http://example.com:80/",
      "feed://example.com",
      "feed://EXAMPLE.com:80/",
      "feed:http://example.com",
    ],
    "https://example.com:8443/feed": ["https://Example.com:8443/feed"],
    "https://xn--bcher-kva.example/%C3%BC": [
      "https://bücher.example/ü",
      "https://BÜCHER.example/ü",
      "https://xn--bcher-kva.example/%C3%BC",
    ],
    "http://[::1]/": ["http://[0:0::1]:80/"],
    "https://joe:pass@example.com/": ["https://joe:pass@EXAMPLE.com"],
    "https://example.com/%E2%80%8D": ["https://example.com/\u200d"],
  };
  for (const [normalized, urls] of Object.entries(spellings)) {
    for (const url of urls) {
      assert.equal(normalizeFeedUrl(url), normalized, url);
      assert.equal(feedIdentity(url), normalized, url);
    }
  }
  assert.equal(normalizeFeedUrl(new URL(`${FEED}#latest`)), FEED);
});

Deno.test("normalizeFeedUrl() keeps apart what the URL standard does", () => {
  const urls = [
    "http://example.com/feed",
    "https://example.com/feed",
    "https://example.com/Feed",
    "https://example.com/feed/",
    "https://example.com/feed?",
    "https://example.com/feed?a&b",
    "https://example.com/feed?b&a",
    "https://www.example.com/feed",
    "https://example.com:80/feed",
    "https://joe@example.com/feed",
  ];
  assert.deepEqual(urls.map((url) => normalizeFeedUrl(url)), urls);
});

Deno.test("normalizeFeedUrl() says what to write in place of a slip", () => {
  const slips: [string, RegExp][] = [
    ["example.com/feed.xml", /its scheme is missing; write "https:\/\/example.com\/feed.xml"$/],
    ["//example.com/feed", /its scheme is missing; write "https:\/\/example.com\/feed"$/],
    [
      "example.com:8080/feed.xml",
      /scheme is missing; write "https:\/\/example.com:8080\/feed.xml"/,
    ],
    ["localhost:80/x", /its scheme is missing; write "https:\/\/localhost:80\/x"$/],
    ["192.168.0.1:80/x", /its scheme is missing; write "https:\/\/192.168.0.1:80\/x"$/],
    ["feed:example.com/x", /its scheme is missing; write "https:\/\/example.com\/x"$/],
    [
      "C:\\feeds\\x.xml",
      /it looks like the path of a file; write the URL that the feed is fetched from$/,
    ],
    ["c:/feeds/x.xml", /it looks like the path of a file/],
    ["/var/feeds/x.xml", /it is not an absolute URL; write one such as "https:/],
    ["./x.xml", /it is not an absolute URL/],
    ["..", /it is not an absolute URL/],
    ["feeds", /it is not an absolute URL/],
    ["", /it is empty$/],
    ["feed:", /it is empty$/],
    ["https://", /it is not a valid URL; check its host and port$/],
    ["https://example.com:99999/", /it is not a valid URL/],
    ["https://exa<mple.com/", /it is not a valid URL/],
    [` ${FEED}`, /it has white space around it; write "https:\/\/example.com\/feed.xml"$/],
    [`${FEED}\n`, /it has white space around it/],
    [`\ufeff${FEED}\u00a0`, /it has white space around it/],
    ["https://example.com/a b", /it holds white space \(U\+0020\); write %20 instead$/],
    ["https://example.com/a\u3000b", /it holds white space \(U\+3000\); write %E3%80%80 instead/],
    ["https://example.com/a\tb", /it holds an invisible character \(U\+0009\); remove/],
    ["https://exam\nple.com/", /invisible character \(U\+000A\)/],
    ["https://example.com/\0", /invisible character \(U\+0000\)/],
    ["https://example.com/\x7f", /invisible character \(U\+007F\)/],
    ["https://exam\u00adple.com/", /invisible character \(U\+00AD\)/],
    ["https://example.com/\u200b", /invisible character \(U\+200B\)/],
    ["https://example.com/\u202e", /invisible character \(U\+202E\)/],
    ["https://example.com/\ud800", /it holds a lone surrogate/],
    ["https://example.com/".padEnd(MAX_URL_LENGTH + 1, "x"), /it has 32769 characters, at most/],
    ["https://example.com/".padEnd(MAX_URL_LENGTH, "日"), /it has \d{6} characters, at most/],
    ["ftp://example.com/feed", /its scheme must be http or https, not ftp; the key 'urlSchemes'/],
    ["file:///feeds/x.xml", /its scheme must be http or https, not file/],
    ["urn:isbn:1", /its scheme must be http or https, not urn/],
    ["mailto:joe@example.com", /its scheme must be http or https, not mailto/],
    ["javascript:alert(1)", /its scheme must be http or https, not javascript/],
    ["data:text/xml,<rss/>", /its scheme must be http or https, not data/],
  ];
  for (const [url, message] of slips) {
    assert.throws(() => normalizeFeedUrl(url), (error) => {
      assert.ok(error instanceof InvalidUpdateError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, /^Cannot use ".*" as the URL of a feed: /);
      return true;
    }, url);
  }
  for (const value of [undefined, null, 1, {}, [FEED]]) {
    assert.throws(() => normalizeFeedUrl(value as unknown as string), {
      name: "InvalidUpdateError",
      message: /^Cannot use (undefined|object|number) as the URL of a feed: it must be a string$/,
    });
  }
});

Deno.test("normalizeFeedUrl() accepts other schemes where they are allowed", () => {
  const options = { schemes: ["https", "gemini", "urn"] };
  assert.equal(normalizeFeedUrl("GEMINI://host:1965/a#b", options), "gemini://host:1965/a");
  assert.equal(normalizeFeedUrl("urn:isbn:1", options), "urn:isbn:1");
  assert.equal(normalizeFeedUrl(FEED, options), FEED);
  assert.throws(() => normalizeFeedUrl("http://example.com/", options), {
    message: /its scheme must be https or gemini or urn, not http;/,
  });
});

Deno.test("no message and no log shows the password of a URL", () => {
  const shown = {
    "https://joe:secret@example.com/feed": "https://joe:…@example.com/feed",
    "https://joe:s@c:ret@example.com/feed": "https://joe:…@example.com/feed",
    "https://:secret@example.com/": "https://:…@example.com/",
    "joe:secret@example.com/feed": "joe:…@example.com/feed",
    "https://joe@example.com/a:b@c": "https://joe@example.com/a:b@c",
    "https://example.com:8080/@joe": "https://example.com:8080/@joe",
  };
  for (const [url, expected] of Object.entries(shown)) assert.equal(shownUrl(url), expected);
  for (
    const url of [
      "joe:secret@example.com/feed",
      " https://joe:secret@example.com/",
      "feed:ftp://joe:secret@example.com/",
      "https://joe:secret@exa mple.com/",
      "\\\\joe:secret@example.com",
    ]
  ) {
    assert.throws(() => normalizeFeedUrl(url), (error) => !String(error).includes("secret"), url);
  }
});

Deno.test("feedIdentity() takes any text for what it is when it is no URL that can be published", () => {
  assert.equal(feedIdentity("FTP://Example.com:21/x#y"), "ftp://example.com/x");
  for (const text of [" https://example.com/", "https://example.com/a\tb", "no URL", ""]) {
    assert.equal(feedIdentity(text), text);
  }
});

/** Texts that are often URLs, and often nearly so. */
const urls = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.array(
    fc.constantFrom(
      ...[
        "https://",
        "http:",
        "feed:",
        "HTTP://",
        "//",
        "/",
        "\\",
        ".",
        "..",
        "%2e",
        "%",
        "?",
        "#",
      ],
      ...[
        "example",
        "Ex",
        "com",
        "xn--",
        "0x7f",
        "1",
        ":",
        "80",
        "443",
        "@",
        "a",
        "ü",
        "~",
        "_",
        "-",
      ],
      ...["&", "=", " ", "\t", "\u200b", "\u3002", "ß", "[", "]", "|", '"', "gemini"],
      ...[":8080", ":0443", "%41", "%2E", "%2f", "'", "+", "(", ",", ";", "example.com/", "!"],
    ),
    { maxLength: 12 },
  ).map((parts) => parts.join("")),
);

Deno.test("a normalised URL stays as it is, and can be read by every version", () => {
  fc.assert(
    fc.property(urls, (url) => {
      const identity = feedIdentity(url);
      assert.equal(feedIdentity(identity), identity);
      let normalized: string;
      try {
        normalized = normalizeFeedUrl(url);
      } catch (error) {
        return void assert.ok(error instanceof InvalidUpdateError);
      }
      assert.equal(identity, normalized);
      assert.equal(normalizeFeedUrl(normalized), normalized);
      assert.equal(URL.parse(normalized)?.href, normalized);
      assert.ok(isReadableFeedUrl(normalized) && !normalized.includes("#"));
    }),
    { numRuns: 20_000 },
  );
});
