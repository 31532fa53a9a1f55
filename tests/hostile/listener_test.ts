import assert from "node:assert/strict";
import { type Clock, systemEnvironment } from "../../lib/base/environment.ts";
import { Peers } from "../../lib/wake/send/peers.ts";
import { Signer } from "../../lib/wake/signature.ts";
import { httpServer } from "../servers/http.ts";
import { VirtualTime } from "../virtual_time.ts";
import { BODY, Ear, ID, NAME, SECRET, STORE, TOKEN } from "../wake/ear.ts";
import { nestedText } from "./values.ts";

/** Time that stands still unless it is let pass; resolves when so many bodies are waited for. */
class BodyTime extends VirtualTime implements Clock {
  #waiting = 0;
  #awaited?: { count: number; resolve: () => void };

  now = () => this.clock.now();

  elapsed = () => this.clock.elapsed();

  setTimer = (ms: number, callback: () => void) => {
    this.#waiting++;
    if (this.#waiting === this.#awaited?.count) this.#awaited.resolve();
    return this.clock.setTimer(ms, callback);
  };

  waitsFor(count: number): Promise<void> {
    if (this.#waiting >= count) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { count, resolve };
    return promise;
  }
}

/** So many connections on which that was done. */
function beginBodies(ear: Ear, count: number, length: number): Promise<Deno.Conn[]> {
  return Promise.all(Array.from({ length: count }, () => beginBody(ear, length)));
}

/** A connection on which a message was begun: of its body one byte came. */
async function beginBody(ear: Ear, length: number): Promise<Deno.Conn> {
  const { hostname, port } = new URL(ear.url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  // Strangers know the store's URL, but no secret.
  const headers = { ...signed(), "webhook-signature": "v1,x", "content-length": String(length) };
  await connection.write(new TextEncoder().encode(`${head(headers)}x`));
  return connection;
}

/** The answer to what was begun; it is small enough to come at once. */
async function answerOn(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4096);
  return new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
}

/** Sends bytes as they are; resolves to the first line of the answer, empty when there is none. */
async function send(ear: Ear, ...parts: (string | Uint8Array)[]): Promise<string> {
  const { hostname, port } = new URL(ear.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const buffer = new Uint8Array(4096);
  const answer = connection.read(buffer).catch(() => null);
  try {
    for (const part of parts) {
      const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
      for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
    }
  } catch {
    // It has hung up.
  }
  return new TextDecoder().decode(buffer.subarray(0, await answer ?? 0)).split("\r\n")[0];
}

function head(headers: Record<string, string>, path = "/commits"): string {
  const lines = Object.entries({ host: "ear", ...headers }).map((header) => header.join(": "));
  return `POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

const signed = () => new Signer(SECRET).sign(ID, BODY, Date.now());

Deno.test("lengths that are none, or not one, are refused, and the listener goes on", async () => {
  await using ear = new Ear();
  const lengths = ["-1", "1e3", "0x10", "99999999999999999999999", "1, 2", "", "abc", "NaN", "1.5"];
  for (const length of lengths) {
    const answer = await send(ear, head({ ...signed(), "content-length": length }));
    assert.match(answer, /^HTTP\/1\.1 4\d\d|^$/, length);
  }
  const two = head({ ...signed(), "content-length": "5", "Content-Length": "6" });
  assert.match(await send(ear, two), /^HTTP\/1\.1 4\d\d|^$/);
  const both = {
    ...signed(),
    "content-length": String(BODY.length),
    "transfer-encoding": "chunked",
  };
  assert.match(await send(ear, head(both), "5\r\nabcde\r\n"), /^HTTP\/1\.1 4\d\d|^$/);
  assert.deepEqual(ear.heard, []);
  assert.equal((await ear.post())[0], 204);
});

Deno.test("a body without end is refused before it is read", async () => {
  await using ear = new Ear();
  const chunks = Array.from({ length: 100 }, () => `10000\r\n${"x".repeat(0x10000)}\r\n`);
  const answer = await send(ear, head({ ...signed(), "transfer-encoding": "chunked" }), ...chunks);
  assert.match(answer, /^HTTP\/1\.1 411/);
});

Deno.test("megabytes of headers are refused", async () => {
  await using ear = new Ear();
  const headers = { ...signed(), "content-length": "1", "x-large": "x".repeat(4_000_000) };
  assert.match(await send(ear, head(headers)), /^HTTP\/1\.1 4\d\d|^$/);
  const many = Array.from({ length: 20_000 }, (_, i) => [`x-${i}`, "x"]);
  assert.match(await send(ear, head(Object.fromEntries(many))), /^HTTP\/1\.1 4\d\d|^$/);
  assert.equal((await ear.post())[0], 204);
});

Deno.test("times and signatures that are odd are not those of a peer", async () => {
  await using ear = new Ear();
  const times = ["NaN", "-1", "1e400", "Infinity", "0x10", "", " ", "1 2", "9".repeat(400)];
  const signature = signed()["webhook-signature"];
  for (const time of [...times, "١٢٣٤"]) {
    const headers = new Headers({ ...signed() });
    try {
      headers.set("webhook-timestamp", time);
    } catch {
      continue; // It cannot be sent.
    }
    assert.equal((await ear.post({ headers: Object.fromEntries(headers) }))[0], 401, time);
  }
  const signatures = [
    "v1,",
    "v1",
    "v1,!!!!",
    "v1,ä",
    "v2,".padEnd(signature.length, "A"),
    signature.slice(0, -1),
    `${signature}=`,
    signature.replace("v1,", "v1, "),
    signature.toLowerCase(),
    Array.from({ length: 5_000 }, () => "v1,AAAA").join(" "),
  ];
  for (const odd of signatures) {
    const headers = { ...signed(), "webhook-signature": odd };
    assert.equal((await ear.post({ headers }))[0], 401, odd.slice(0, 50));
  }
  assert.deepEqual(ear.heard, []);
});

Deno.test("a stranger learns nothing of the store, and does not find out the token", async () => {
  await using ear = new Ear();
  const headers = { ...signed(), "webhook-id": "s3://guess/tail" };
  const [status, text] = await ear.post({ headers });
  assert.equal(status, 409);
  assert.doesNotMatch(text, /bucket/);
  for (const given of ["", TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase(), "\u{1f600}"]) {
    assert.equal(await ear.wake({}, { query: `?token=${encodeURIComponent(given)}` }), 401);
  }
});

Deno.test("strangers who send slowly hold up no memory: what they announce is bounded", async () => {
  const time = new BodyTime();
  await using ear = new Ear({ clock: time });
  const connections = await beginBodies(ear, 4, 22_300_000);
  await time.waitsFor(4);
  const stranger = { body: new Uint8Array(1024 * 1024), secret: `whsec_${btoa("not ours")}` };
  assert.equal((await ear.post(stranger))[0], 503);
  for (const connection of connections) connection.close();
  while ((await ear.post(stranger))[0] === 503);
  assert.equal((await ear.post())[0], 204);
  assert.equal(ear.heard.length, 1);
});

Deno.test("no more than 32 bodies are waited for at once, however small", async () => {
  const time = new BodyTime();
  await using ear = new Ear({ clock: time });
  const connections = await beginBodies(ear, 31, 100);
  await time.waitsFor(31);
  assert.equal((await ear.post())[0], 204);
  connections.push(await beginBody(ear, 100));
  await time.waitsFor(33);
  assert.deepEqual(await ear.post(), [503, "Too many messages at once\n"]);
  for (const connection of connections) connection.close();
});

Deno.test("a body that does not come within 10 seconds is let go, and makes room for others", async () => {
  const time = new BodyTime();
  await using ear = new Ear({ clock: time });
  const connections: Deno.Conn[] = [];
  for (let i = 0; i < 32; i++) connections.push(await beginBody(ear, 100));
  await time.waitsFor(32);
  const began = time.now();
  const answers = await time.run(Promise.all(connections.map(answerOn)));
  assert.equal(time.now() - began, 10_000);
  for (const answer of answers) {
    assert.match(answer, /^HTTP\/1\.1 408 .*\r\nconnection: close\r\n/s);
  }
  assert.equal((await ear.post())[0], 204); // Although they stay connected.
  for (const connection of connections) connection.close();
});

Deno.test("events that are nested, endless, or of odd values tell of nothing, and fail nothing", async () => {
  await using ear = new Ear();
  const query = `?token=${encodeURIComponent(TOKEN)}`;
  const deep = nestedText("[", "]", 1_000_000);
  const record = (name: string, key: string) =>
    `{"Records":[{"s3":{"bucket":{"name":${name}},"object":{"key":${key}}}}]}`;
  const events = [
    deep,
    `{"Records":${deep}}`,
    record(deep, '"tail/x"'),
    record('"bucket"', deep),
    record('{"toString":1}', '{"toString":1}'),
    record('"bucket"', "null"),
    record('"bucket"', JSON.stringify(`prefix%2F${NAME.key}%`)),
    record('"bucket"', JSON.stringify(`prefix/../prefix/${NAME.key}`)),
    `{"Records":[${Array.from({ length: 100_000 }, () => "{}").join()}]}`,
    '{"Records":[null,1,"x",[],{"s3":[]},{"s3":{"bucket":[],"object":[]}}]}',
    Array.from({ length: 15 }).reduce<string>((m) => JSON.stringify({ Message: m }), "x"),
  ];
  for (const event of events) {
    const status = await ear.wake(event, { query });
    assert.ok(status === 204 || status === 400, `${status} ${event.slice(0, 60)}`);
  }
  assert.deepEqual(ear.heard, []);
});

Deno.test("of what a peer answers little is read", async () => {
  let sent = 0;
  const body = () =>
    new ReadableStream({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x78));
      },
    });
  for (const status of [200, 500]) {
    await using server = httpServer(() => new Response(body(), { status }));
    const log = { url: STORE, service: undefined, now: Date.now };
    const options = { secret: SECRET, log, environment: systemEnvironment };
    const peers = new Peers([server.endpoint], options);
    peers.send({ key: NAME.key, body: BODY });
    await peers.close(5_000);
    assert.deepEqual(
      peers.counts,
      status === 200 ? { sent: 1, dropped: 0 } : { sent: 0, dropped: 1 },
    );
  }
  assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes`);
});
