import assert from "node:assert/strict";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { zstdDecompressSync } from "node:zlib";
import { resolveConfig } from "../../../lib/config/resolve.ts";
import { Connection } from "../../../lib/connection.ts";
import { systemEnvironment } from "../../../lib/base/environment.ts";
import { publish } from "../../../lib/publish.ts";
import { watch } from "../../../lib/watch.ts";
import { Peers } from "../../../lib/wake/send/peers.ts";
import type { Config } from "../../../mod.ts";
import { workspace } from "../../cli/feedsync.ts";
import { captureLog } from "../../encryption/keys.ts";
import { MemoryStore } from "../../memory_store.ts";
import { hangUpOnce, httpServer, unreachableEndpoint } from "../../servers/http.ts";
import { freeAddress } from "../../servers/ports.ts";
import { BODY, NAME } from "../ear.ts";

const SECRET = `whsec_${btoa("a secret that all servers have")}`;
const POLL = "1h";

/** A server around a store that others use, too. */
function connect(store: MemoryStore, config: Config): Connection {
  const resolved = resolveConfig({
    poll: POLL,
    presence: false,
    ...config,
    wake: { secret: SECRET, ...config.wake },
  });
  return new Connection(resolved, store);
}

/** A watcher with what it applied, and a promise for so many updates. */
function receive(connection: Connection, count: number) {
  const contents: unknown[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const watcher = watch(connection, ({ content }) => {
    contents.push(content);
    if (contents.length === count) resolve();
  });
  return { watcher, contents, all };
}

function optionsFor(store: MemoryStore) {
  const log = { url: store.url, service: undefined, now: Date.now };
  return { secret: SECRET, log, environment: systemEnvironment };
}

const update = (content: string) => ({ url: `https://example.com/${encodeURI(content)}`, content });

Deno.test("peers apply what is published at once, without a request to the store", async () => {
  const store = new MemoryStore(systemEnvironment.clock), address = freeAddress();
  await using web1 = connect(store, { server: "web-1", wake: { peers: [`http://${address}/`] } });
  await using web2 = connect(store, { server: "web-2", wake: { listen: address } });
  const { watcher, contents, all } = receive(web2, 20);
  await watcher.poll();
  const { get, list } = store.requests;
  const expected = Array.from({ length: 20 }, (_, i) => `a${i}`);
  const listsOfPublisher = () => store.requests.list - list;
  for (const content of expected) await publish(web1, update(content));
  await all;
  assert.deepEqual(contents, expected);
  assert.equal(store.requests.get, get);
  const lists = listsOfPublisher();
  assert.ok(
    lists <= 3 + 2,
    "its own tail, at the start and before it seals; whether others encrypt",
  );
  await watcher.close();
});

Deno.test("what a peer missed is found by a poll as soon as it hears of something later", async () => {
  const store = new MemoryStore(systemEnvironment.clock), address = freeAddress();
  await using web1 = connect(store, { server: "web-1" });
  await using web2 = connect(store, { server: "web-2", wake: { listen: address } });
  const { watcher, contents, all } = receive(web2, 3);
  await watcher.poll();
  await publish(web1, update("missed-1"));
  await publish(web1, update("missed-2"));
  const peers = new Peers([`http://${address}`], optionsFor(store));
  web1.parts!.uploader.onCommit.push(({ name: { key }, body }) => peers.send({ key, body }));
  await publish(web1, update("heard"));
  await all;
  assert.deepEqual(contents, ["missed-1", "missed-2", "heard"]);
  await peers.close(1000);
  await watcher.close();
});

Deno.test("a peer that is out of reach costs nothing; what it is not told is counted", async () => {
  const store = new MemoryStore(systemEnvironment.clock);
  const peers = new Peers([`http://${freeAddress()}`], optionsFor(store));
  for (let i = 0; i < 1000; i++) peers.send({ key: `tail/${i}`, body: new Uint8Array(10) });
  await peers.close(10_000);
  assert.deepEqual(peers.counts, { sent: 0, dropped: 1000 });
});

Deno.test("a peer that never answers holds up neither publishing nor the end", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const store = new MemoryStore(systemEnvironment.clock);
  const url = `http://127.0.0.1:${silent.addr.port}`;
  {
    await using web1 = connect(store, { server: "web-1", wake: { peers: [url] } });
    for (const content of ["a", "b", "c"]) await publish(web1, update(content));
  }
  assert.equal(store.requests.put, 3);
});

Deno.test("both sides tell once when a peer refuses, also one that was out of reach before", async () => {
  const store = new MemoryStore(systemEnvironment.clock), address = freeAddress();
  const { clock, random } = systemEnvironment;
  let skipped = 0;
  const environment = { random, clock: { ...clock, elapsed: () => clock.elapsed() + skipped } };
  const peers = new Peers([`http://${address}`], { ...optionsFor(store), environment });
  const failTwice = async () => {
    for (const dropped of [1, 2].map((count) => peers.counts.dropped + count)) {
      peers.send({
        key: "tail/web-1_abcdefgh/0000000000000001.1.ijklmnop",
        body: new Uint8Array(9),
      });
      while (peers.counts.dropped < dropped) await setImmediate();
      skipped += 60_000; // It is left alone for so long at most.
    }
  };
  using log = captureLog();
  await failTwice();
  const secret = `whsec_${btoa("a secret that the others lack")}`;
  await using web2 = connect(store, { server: "web-2", wake: { listen: address, secret } });
  await using watcher = watch(web2, () => {});
  await watcher.ready;
  await failTwice();
  const warnings = log.lines.filter((line) => line.startsWith("warning"));
  assert.equal(warnings.length, 3, warnings.join("\n"));
  assert.match(warnings[0], /Cannot send a commit to the peer .*: .*refused/);
  assert.match(
    warnings[1],
    /Refused a message from 127\.0\.0\.1: Not signed with the secret of this/,
  );
  assert.match(warnings[2], /Cannot send a commit to the peer .*: 401 Not signed/);
  await peers.close(0);
});

Deno.test("a peer that is too old for a commit gets the next ones at once, and is told of once", async () => {
  const sizes: number[] = [];
  await using peer = httpServer(async (request) => {
    assert.equal(request.headers.get("feedsync-reader"), "1");
    const { length } = await request.bytes();
    sizes.push(length);
    return new Response("A reader of format 2 is required\n", { status: length > 9 ? 415 : 200 });
  });
  using log = captureLog();
  const peers = new Peers([peer.endpoint], optionsFor(new MemoryStore(systemEnvironment.clock)));
  const send = (length: number) => peers.send({ key: NAME.key, body: new Uint8Array(length) });
  for (const length of [10, 1, 11]) send(length);
  while (peers.counts.sent + peers.counts.dropped < 3) await setImmediate();
  send(2);
  await peers.close(10_000);
  assert.deepEqual(sizes, [10, 1, 11, 2]);
  assert.deepEqual(peers.counts, { sent: 2, dropped: 2 });
  const warnings = log.lines.filter((line) => line.startsWith("warning"));
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.match(warnings[0], /is older than this server .* upgrade feedsync there: 415 A reader of/);
});

Deno.test("a peer that redirects is not followed: what is signed goes nowhere else", async () => {
  const followed: string[] = [];
  await using elsewhere = httpServer(({ url }) => {
    followed.push(url);
    return new Response();
  });
  const store = new MemoryStore(systemEnvironment.clock);
  for (const status of [301, 302, 303, 307, 308]) {
    await using server = httpServer(() => Response.redirect(elsewhere.endpoint, status));
    const peers = new Peers([server.endpoint], optionsFor(store));
    peers.send({ key: NAME.key, body: BODY });
    await peers.close(10_000);
    assert.deepEqual(peers.counts, { sent: 0, dropped: 1 });
  }
  assert.deepEqual(followed, []);
});

Deno.test("of a peer's URL only the origin is told, whatever it answers", async () => {
  const path = "/behind/T0KEN";
  await using refusing = httpServer(({ url }) => new Response(`No ${url}`, { status: 404 }));
  await using hangingUp = hangUpOnce("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const store = new MemoryStore(systemEnvironment.clock);
  let skipped = 0;
  const { clock, random } = systemEnvironment;
  const environment = { random, clock: { ...clock, elapsed: () => clock.elapsed() + skipped } };
  using log = captureLog();
  const urls = [refusing.endpoint, hangingUp.endpoint, unreachableEndpoint()];
  const peers = new Peers(urls.map((url) => url + path), { ...optionsFor(store), environment });
  const send = async (all: number) => {
    peers.send({ key: NAME.key, body: BODY });
    while (peers.counts.dropped + peers.counts.sent < all) await setImmediate();
  };
  await send(3);
  skipped = 120_000; // A peer that has failed is left alone for a while.
  await send(6);
  await peers.close(1000);
  assert.equal(
    log.lines.filter((line) => line.includes("Cannot send a commit to the peer")).length,
    3,
  );
  assert.match(log.lines.join("\n"), /can be reached again/);
  assert.doesNotMatch(log.lines.join("\n"), /behind|T0KEN/);
});

Deno.test("without keys a commit can be read on its way to a peer at an http: URL", async () => {
  const bodies: Uint8Array[] = [];
  await using peer = httpServer(async (request) => {
    bodies.push(await request.bytes());
    return new Response();
  });
  const store = new MemoryStore(systemEnvironment.clock);
  await using web1 = connect(store, { server: "web-1", wake: { peers: [peer.endpoint] } });
  await publish(web1, update("plain"));
  while (bodies.length === 0) await setImmediate();
  assert.match(zstdDecompressSync(bodies[0]).toString(), /"content":"plain"/);
});

Deno.test("a message repeated to a listener that was started anew is applied no second time", async () => {
  const store = new MemoryStore(systemEnvironment.clock), address = freeAddress();
  await using directory = await workspace();
  const config = {
    server: "web-2",
    wake: { listen: address },
    state: join(directory.path, "state"),
  };
  await using web1 = connect(store, { server: "web-1" });
  const messages: { key: string; body: Uint8Array }[] = [];
  web1.parts!.uploader.onCommit.push(({ name: { key }, body }) => messages.push({ key, body }));
  await publish(web1, update("a"));
  {
    await using web2 = connect(store, config);
    const { watcher, contents } = receive(web2, 1);
    await watcher.poll();
    assert.deepEqual(contents, ["a"]);
    await watcher.close();
  }
  await using web2 = connect(store, config);
  const { watcher, contents, all } = receive(web2, 1);
  await watcher.poll();
  const peers = new Peers([`http://${address}`], optionsFor(store));
  peers.send(messages[0]);
  await publish(web1, update("b"));
  peers.send(messages[1]);
  await all;
  await peers.close(1000);
  assert.deepEqual(peers.counts, { sent: 2, dropped: 0 });
  assert.deepEqual(contents, ["b"]);
  await watcher.close();
});

Deno.test("peers that stay keep their backoff and their counts when others come and go", async () => {
  const heard: string[] = [];
  const listener = (name: string) =>
    httpServer(async (request) => {
      await request.body?.cancel();
      heard.push(name);
      return new Response();
    });
  await using one = listener("one");
  await using two = listener("two");
  const gone = unreachableEndpoint();
  const peers = new Peers([one.endpoint, gone], {
    ...optionsFor(new MemoryStore(systemEnvironment.clock)),
    environment: {
      ...systemEnvironment,
      random: { ...systemEnvironment.random, fraction: () => 1 },
    },
  });
  const send = async (count: number) => {
    peers.send({ key: NAME.key, body: BODY });
    while (peers.counts.sent + peers.counts.dropped < count) await setImmediate();
  };
  await send(2);
  peers.replace([two.endpoint, gone]);
  peers.send({ key: NAME.key, body: BODY });
  assert.equal(peers.counts.dropped, 2, "what cannot be reached is still left alone");
  while (peers.counts.sent < 2) await setImmediate();
  peers.replace([one.endpoint]);
  assert.deepEqual(peers.counts, { sent: 2, dropped: 2 });
  await send(5);
  await peers.close(1000);
  assert.deepEqual(heard, ["one", "two", "one"]);
  assert.deepEqual(peers.counts, { sent: 3, dropped: 2 });
  peers.replace([two.endpoint]); // It is closed: there is nothing left to keep open.
  peers.send({ key: NAME.key, body: BODY });
  assert.deepEqual(heard.length, 3);
});

Deno.test("a peer that is removed still gets what was sent to it, but is not waited for", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const bodies: number[] = [];
  await using peer = httpServer(async (request) => {
    bodies.push((await request.bytes()).length);
    return new Response();
  });
  const store = new MemoryStore(systemEnvironment.clock);
  const urls = [peer.endpoint, `http://127.0.0.1:${silent.addr.port}`];
  const peers = new Peers(urls, optionsFor(store));
  for (const length of [1, 2]) peers.send({ key: NAME.key, body: new Uint8Array(length) });
  peers.replace([]);
  await peers.close(10_000);
  assert.deepEqual(bodies, [1, 2]);
  assert.deepEqual(peers.counts, { sent: 2, dropped: 2 });
});

Deno.test("a greeting that a peer has no need of is no failure, and one that fails is told of", async () => {
  using log = captureLog();
  let status = 404;
  const paths: string[] = [];
  await using peer = httpServer(async (request) => {
    paths.push(new URL(request.url).pathname);
    await request.body?.cancel();
    return new Response(null, { status: request.url.endsWith("/presence") ? status : 204 });
  });
  const peers = new Peers([peer.endpoint], optionsFor(new MemoryStore(systemEnvironment.clock)));
  const greet = async (answer: number) => {
    const count = paths.length;
    status = answer;
    peers.greet([peer.endpoint], { key: NAME.key, body: BODY });
    while (paths.length === count) await setImmediate();
  };
  for (const answer of [204, 404, 405, 409]) await greet(answer);
  peers.send({ key: NAME.key, body: BODY });
  while (peers.counts.sent === 0) await setImmediate();
  assert.deepEqual(log.lines, []);
  await greet(500);
  await peers.close(1000);
  assert.match(log.lines.join("\n"), /^warning: Cannot greet the peer http:.*: 500 \(it will find/);
  assert.equal(log.lines.length, 1);
  assert.deepEqual(peers.counts, { sent: 1, dropped: 0 });
});
