import assert from "node:assert/strict";
import { join } from "node:path";
import { parseArguments } from "../../lib/cli/args.ts";
import { checked } from "../../lib/cli/checked/command.ts";
import { parseHeaders, readOutcome } from "../../lib/cli/checked/read_outcome.ts";
import { workspace } from "./feedsync.ts";

const FEED = "https://example.com/feed.xml";

function outcome(...args: string[]) {
  return readOutcome(parseArguments([FEED, ...args], checked), new AbortController().signal);
}

/** As `curl --dump-header` writes it, with an answer of a proxy and a redirect before. */
const DUMP = [
  ...["HTTP/1.1 200 Connection established", ""],
  ...["HTTP/1.1 302 Found", "Location: /elsewhere", "ETag: old", ""],
  ...["HTTP/2 200", 'ETag: W/"a: b"', "last-modified:Fri, 02 Jan 2026 03:04:05 GMT", ""],
  ...["trailer: ignored", ""],
].join("\r\n");

Deno.test("what came of a fetch is read from flags", async () => {
  const args = [
    ...["--status", "429", "--retry-after", "120", "--scope", "host", "--ttl=1h"],
    ...["--etag", '"x"', "--last-modified", "then", "--cache-control=max-age=60", "--location=/b"],
  ];
  const { headers, ...rest } = await outcome(...args);
  assert.deepEqual(rest, {
    ...{ status: 429, scope: "host", ttl: "1h", removed: false },
    ...{ content: undefined, error: undefined },
  });
  assert.deepEqual(headers, {
    ...{ "etag": '"x"', "last-modified": "then", "cache-control": "max-age=60" },
    ...{ "retry-after": "120", "location": "/b" },
  });
});

Deno.test("what came of a fetch is read from the headers that curl has dumped; flags go first", async () => {
  await using directory = await workspace({
    "headers": DUMP,
    "body": "<rss>é</rss>",
    "bad": "<p>",
  });
  const file = (name: string) => join(directory.path, name);
  const read = await outcome("--headers", file("headers"), "--content", file("body"), "--etag=y");
  assert.deepEqual([read.status, read.content], [200, "<rss>é</rss>"]);
  assert.deepEqual(read.headers, {
    "etag": "y",
    "last-modified": "Fri, 02 Jan 2026 03:04:05 GMT",
  });
  await assert.rejects(outcome("--headers", file("bad")), {
    name: "BadInputError",
    message: /bad: it has no line such as "HTTP\/1.1 200 OK"; .* use --error$/,
  });
  await assert.rejects(outcome("--headers", file("no")), { name: "BadInputError" });
});

Deno.test("headers are those of the last answer", () => {
  assert.deepEqual(parseHeaders("HTTP/1.1 304 Not Modified\nETag: a\nno colon\n: none\nETag: b"), {
    status: 304,
    headers: { etag: "b" },
  });
  assert.deepEqual(parseHeaders("HTTP/1.1 204\n\n"), { status: 204, headers: {} });
  for (const none of ["", "HTTP/1.1 999 No", "ETag: a", " HTTP/1.1 200 OK"]) {
    assert.equal(parseHeaders(none), undefined);
  }
  const names = Object.keys(parseHeaders("HTTP/3 200\n__proto__: a\n")!.headers);
  assert.deepEqual(names, ["__proto__"]);
});

Deno.test("content that is not UTF-8 stays bytes", async () => {
  await using directory = await workspace({ body: new Uint8Array([0x3c, 0xe9]) });
  const { content } = await outcome("--status=200", "--content", join(directory.path, "body"));
  assert.deepEqual(content, new Uint8Array([0x3c, 0xe9]));
});

Deno.test("wrong outcomes are refused", async () => {
  const cases: [string[], RegExp][] = [
    [[], /^What came of it is missing: give --status, --headers or --error$/],
    [["--etag=x"], /is missing/],
    [["--status", "20x"], /^--status must be an HTTP status such as 304: .* 20x$/],
    [["--status", "600"], /current value is 600$/],
    [["--status=200", "--ttl", "60"], /^--ttl must be a duration .* 60$/],
    [["--status=200", "--scope", "hots"], /^Unknown --scope "hots", did you mean "host"\?$/],
    [["--headers=-", "--content=-"], /^Cannot read both /],
  ];
  for (const [args, message] of cases) {
    await assert.rejects(outcome(...args), { name: "UsageError", message });
  }
});
