import assert from "node:assert/strict";
import { cutDownUrls, hidePasswords } from "../../lib/base/redact.ts";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { tellFailure } from "../../lib/plugins/failure.ts";

Deno.test("of URLs of every scheme only scheme and host are shown", () => {
  const cases: [text: string, shown: string][] = [
    ["at redis://:S3CRET@cache:6379/0, again", "at redis://cache:6379, again"],
    ["postgres://u:S3CRET@db/feeds?x", "postgres://db"],
    ["(mongodb+srv://u:S3CRET@db/x)", "(mongodb+srv://db)"],
    ['"wss://hooks.example/S3CRET".', '"wss://hooks.example".'],
    ["HTTPS://u:p@hooks.example:8443/S3CRET: refused", "https://hooks.example:8443: refused"],
    ["http://[S3CRET", "a URL"],
    ["at file:///srv/plugin.ts:3:5", "at file:///srv/plugin.ts:3:5"],
    ["a/b: c", "a/b: c"],
  ];
  for (const [text, shown] of cases) assert.equal(cutDownUrls(text), shown);
});

Deno.test("the URL of an update is shown only where it is whole", () => {
  const url = "https://joe:S3CRET@example.com/";
  const tell = (text: string) => tellFailure(new Error(text), url);
  const shown = "https://joe:…@example.com/";
  assert.equal(tell(`No ${url}, (${url}) ${url}`), `No ${shown}, (${shown}) ${shown}`);
  assert.equal(tell(`POST ${url}hooks/T0KEN failed`), "POST https://example.com failed");
  assert.equal(tell(tell(`No ${url}: x`)), `No ${shown}: x`, "told twice");
});

Deno.test("hidePasswords() hides them in URLs and in every form of a file name, and nothing else", () => {
  const url = "https://user:s3cret@example.com/p.xml";
  for (
    const [text, shown] of [
      [
        `'/feeds/${feedFileName(url)}' is gone`,
        "'/feeds/https%3A%2F%2Fuser%3A…%40example.com%2Fp.xml.feed' is gone",
      ],
      [
        `${url} and ${url}`,
        "https://user:…@example.com/p.xml and https://user:…@example.com/p.xml",
      ],
      ["/x/https___user_s3cret@example.com_p.feed", "/x/https___user_…@example.com_p.feed"],
    ]
  ) assert.equal(hidePasswords(text), shown);
  for (
    const url of [
      "https://example.com:8080/a:b@c",
      "https://user@example.com/x:y@z",
      "http://[::1]:80/@",
    ]
  ) {
    for (const text of [url, feedFileName(url)]) assert.equal(hidePasswords(text), text);
  }
});
