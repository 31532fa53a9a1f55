/** The examples in other languages, against real servers that are killed in between. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { ExampleProgram, type Handled, run } from "./example_program.ts";
import { type ServerProcess, startFleet } from "../../servers/fleet.ts";
import { Front } from "./front.ts";
import { Examples, type Language, LANGUAGES, missingProgram } from "./languages.ts";

/** Long, so that a program that nobody reads from stands still in the middle of a page. */
const PADDING = "x".repeat(1500);

/** How many lines a page has. */
const PAGE_LINES = 100;

/** Publishes these feeds, each once, and returns their URLs. */
async function publishMany(server: ServerProcess, name: string, count: number): Promise<string[]> {
  const urls = Array.from(
    { length: count },
    (_, index) => `https://example.com/${name}/${index}?${PADDING}`,
  );
  const lines = urls.map((url) => JSON.stringify({ url, content: `<rss>${url}</rss>` }));
  const type = "application/x-ndjson";
  await server.request("POST", "/v1/updates", { type, body: lines.join("\n") });
  return urls;
}

const hasAll = (urls: readonly string[]) => (handled: readonly Handled[]) => {
  const known = new Set(handled.map(({ url }) => url));
  return urls.every((url) => known.has(url));
};

const atLeast = (count: number) => (handled: readonly Handled[]) => handled.length >= count;

/** Nothing is left out, and what comes again begins with what was not acknowledged. */
function checkOrder(handled: readonly Handled[]): void {
  let newest = 0, previous = 0;
  for (const { seq } of handled) {
    assert.ok(seq <= newest + 1, `${newest} is followed by ${seq}`);
    if (seq !== previous + 1) {
      assert.ok(previous - seq < PAGE_LINES, `After ${previous}, ${seq} came again`);
    }
    newest = Math.max(newest, seq);
    previous = seq;
  }
}

async function publishes(examples: Examples): Promise<void> {
  await using fleet = await startFleet(["web-1"]);
  const [server] = fleet.servers;
  await using front = await Front.start(server.address, { isBusy: true });
  const env = { API: front.origin, TOKEN: server.token, NO_PROXY: "*", no_proxy: "*" };
  const url = "https://example.com/feed.xml?a=1&b=%20ä+c", content = "<rss>&amp; ä\n</rss>\n";
  const publish = () => run([...examples.command("publish"), url], { env, stdin: content });
  assert.equal(JSON.parse(await publish()).status, "published");
  assert.equal(JSON.parse(await publish()).status, "unchanged");
  assert.deepEqual([...front.statuses], [503, 201, 200]);
  assert.equal(
    await server.request("GET", `/v1/feeds?url=${encodeURIComponent(url)}`),
    content,
  );
  await server.kill();
  const late = run([...examples.command("publish"), "https://example.com/late"], {
    env,
    stdin: content,
  });
  await server.start();
  assert.equal(JSON.parse(await late).status, "published");
}

async function consumes(examples: Examples): Promise<void> {
  await using fleet = await startFleet(["web-1", "web-2"]);
  const [publisher, server] = fleet.servers;
  await using front = await Front.start(server.address, { isBusy: true });
  const env = { API: front.origin, TOKEN: server.token, NO_PROXY: "*", no_proxy: "*" };
  const start = () => new ExampleProgram([...examples.command("consume"), "reader"], env);

  await using first = start();
  while (await server.request("GET", "/v1/consumers") === "[]"); // It makes its consumer.

  // It is killed in the middle of a page.
  const urls = await publishMany(publisher, "first", 250);
  const handled = [...await first.handles(atLeast(20)), ...await first.kill()];
  assert.ok(handled.length < 250, "It was not killed in the middle");

  // The server is killed while a page is handled.
  await using second = start();
  handled.push(...await second.handles(atLeast(20)));
  await server.kill();
  await server.backUp();
  urls.push(...await publishMany(publisher, "second", 250));
  await server.start();
  handled.push(
    ...await second.handles((more) => hasAll(urls)([...handled, ...more])),
  );
  checkOrder(handled);

  // The server loses its newest state while a page is handled.
  const late = await publishMany(publisher, "late", 250);
  const again = await second.handles(atLeast(20));
  await server.kill();
  await server.restore();
  await server.start();
  again.push(...await second.handles((more) => hasAll(late)([...again, ...more])));
  assert.ok(front.statuses.has(410));

  // The server is killed while nothing comes.
  await server.kill();
  await server.start();
  await second.handles(hasAll(await publishMany(publisher, "last", 1)));

  // Of two readers of one consumer, one ends.
  await using third = start();
  const { code, stderr } = await Promise.race([second.ends(), third.ends()]);
  assert.notEqual(code, 0);
  assert.match(stderr, /ReaderReplacedError/);
  assert.deepEqual([...front.statuses].sort(), [200, 201, 404, 409, 410, 503]);
  await server.kill(); // What a killed shell has started does not wait any longer.
}

/** A feed whose end never comes. */
async function serveCutOff() {
  const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n";
  const server = createServer((socket) => socket.once("data", () => socket.end(answer)));
  await once(server.listen(0, "0.0.0.0"), "listening");
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.dispose]: () => void server.close() };
}

/** Feeds, and which requests they had: the ETag that each sent. */
function serveFeeds() {
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "0.0.0.0", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    const known = request.headers.get("if-none-match");
    requests.push(`${pathname} ${known ?? "-"}`);
    if (pathname !== "/feed") return new Response(null, { status: 404 });
    const headers = { etag: '"1"' };
    if (known === '"1"') return new Response(null, { status: 304, headers });
    return new Response("<rss>fetched</rss>", { headers });
  });
  const { port } = server.addr;
  return { requests, port, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function takesTurns(examples: Examples): Promise<void> {
  await using fleet = await startFleet(["web-1"]); // Several would first agree on who fetches what.
  await using feeds = serveFeeds();
  using cutOff = await serveCutOff();
  const [server] = fleet.servers, { port, requests } = feeds;
  const env = {
    API: `http://${server.address}`,
    TOKEN: server.token,
    NO_PROXY: "*",
    no_proxy: "*",
  };
  const list = join(fleet.path, "feeds.txt");
  // One address is one publisher, whose feeds are not fetched all at once.
  const urls = [
    `http://127.0.0.1:${port}/feed`,
    `http://127.0.0.2:${port}/missing`,
    "http://127.0.0.3:1/closed",
    `http://127.0.0.4:${cutOff.port}/cut-off`,
  ];
  await Deno.writeTextFile(list, urls.map((url) => `${url}\n`).join(""));
  const turns = (every: string) => run([...examples.command("turns"), list, every], { env });

  await turns("15m");
  assert.deepEqual(requests.toSorted(), ["/feed -", "/missing -"]);
  const feed = await server.request("GET", `/v1/feeds?url=${encodeURIComponent(urls[0])}`);
  assert.equal(feed, "<rss>fetched</rss>");
  await turns("15m");
  assert.equal(requests.length, 2, "Whatever was fetched is left alone");

  while (requests.length === 2) await turns("1s");
  assert.equal(requests[2], '/feed "1"');
  const body = JSON.stringify({ urls, every: "15m" });
  const due = await server.request("POST", "/v1/due", { body });
  const reasons = JSON.parse(due).map(({ reason }: { reason: string }) => reason);
  assert.deepEqual(reasons, ["fresh", "backoff", "backoff", "backoff"]);
}

/** Compiles the examples of a language, and runs a test of one of them. */
async function withExamples(
  language: Language,
  test: (examples: Examples) => Promise<void>,
): Promise<void> {
  const missing = missingProgram(language);
  if (missing) return console.log(`skipped: ${missing} is not installed`);
  const directory = await Deno.makeTempDir();
  try {
    const examples = new Examples(language, directory);
    await examples.prepare();
    await test(examples);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

for (const language of LANGUAGES) {
  const { name } = language;
  Deno.test(`${name}: a feed is published once, also when the server is busy or away`, () =>
    withExamples(language, publishes));
  Deno.test(`${name}: a consumer that is killed, and whose server is, loses nothing`, () =>
    withExamples(language, consumes));
  Deno.test(`${name}: a feed whose turn it is is fetched, published and checked`, () =>
    withExamples(language, takesTurns));
}
