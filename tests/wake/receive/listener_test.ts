import assert from "node:assert/strict";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { decodeBody, encodeBody, updateLine } from "../../../lib/log/codec.ts";
import { systemEnvironment } from "../../../lib/base/environment.ts";
import { ConfigError } from "../../../lib/errors.ts";
import { objectName } from "../../../lib/log/names.ts";
import { listen } from "../../../lib/wake/receive/listener.ts";
import { messageId } from "../../../lib/wake/message.ts";
import { Signer } from "../../../lib/wake/signature.ts";
import { VirtualTime } from "../../virtual_time.ts";
import { captureLog } from "../../encryption/keys.ts";
import { BODY, Ear, ID, logAt, NAME, SECRET, STORE, TOKEN } from "../ear.ts";

Deno.test("a commit that a peer sends is heard, with what is in it", async () => {
  await using ear = new Ear();
  assert.deepEqual(await ear.post(), [204, ""]);
  const [{ name, updates }] = ear.heard;
  assert.deepEqual(name, NAME);
  assert.deepEqual(updates, decodeBody(NAME, BODY));
});

Deno.test("strangers, replays, and what is of another store are refused", async () => {
  await using ear = new Ear();
  const refused = async (message: Parameters<Ear["post"]>[0], status: number, text: RegExp) => {
    const [gotStatus, gotText] = await ear.post(message);
    assert.match(gotText, text);
    assert.equal(gotStatus, status);
  };
  await refused({ headers: {} }, 401, /signature is missing/);
  await refused({ secret: `whsec_${btoa("another")}` }, 401, /secret/);
  await refused({ now: Date.now() - 3_600_000 }, 401, /clocks/);
  await refused({ id: messageId("s3://other", NAME.key) }, 409, /commit of this store/);
  await refused({ id: messageId(STORE, `../${NAME.key}`) }, 409, /commit of this store/);
  await refused(
    { id: messageId(STORE, NAME.key.replace("tail", "segments")) },
    409,
    /commit of this store/,
  );
  assert.deepEqual(ear.heard, []);
  await ear.post();
  await refused({}, 409, /Already received/);
  assert.equal(ear.heard.length, 1);
});

Deno.test("a body that is not what its key says is refused, and so is one that is too large", async () => {
  await using ear = new Ear();
  const [status, text] = await ear.post({ body: BODY.slice(0, -1) });
  assert.equal(status, 400);
  assert.match(text, /Cannot read tail/);
  const large = new Uint8Array(22 * 1024 * 1024);
  assert.equal((await ear.post({ body: large }))[0], 413);
  assert.match(await ear.postWithoutLength(), /^411 /);
  assert.deepEqual(ear.heard, []);
});

/** The body with a change of its text. */
function edited(search: string, replacement: string): Uint8Array<ArrayBuffer> {
  const text = zstdDecompressSync(BODY).toString();
  assert.ok(text.includes(search));
  return new Uint8Array(zstdCompressSync(text.replace(search, replacement)));
}

/** Headers of a message that needs the `reader`. */
function headersFor(reader: string, { id = ID, body = BODY, secret = SECRET } = {}) {
  return { ...new Signer(secret).sign(id, body, Date.now()), "feedsync-reader": reader };
}

Deno.test("a message that needs a newer reader sends to the bucket, is no bad request, and told once", async () => {
  using log = captureLog();
  await using ear = new Ear();
  const answer = [415, "A reader of format 2 is required\n"];
  const body = new TextEncoder().encode("another form");
  assert.deepEqual(await ear.post({ headers: headersFor("2", { body }), body }), answer);
  assert.deepEqual(ear.heard, [{ name: NAME }]);
  const id = "an id of another form";
  assert.deepEqual(await ear.post({ headers: headersFor("2", { id }) }), answer);
  assert.equal(ear.heard.length, 1);
  const warnings = log.lines.filter((line) => line.startsWith("warning"));
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.match(warnings[0], /needs a reader of format 2, but this version reads up to 1; upgrade/);
});

Deno.test("a message that needs a newer reader is accepted once, and once more in the form of today", async () => {
  await using ear = new Ear();
  for (const status of [415, 409]) {
    assert.equal((await ear.post({ headers: headersFor("2") }))[0], status);
  }
  assert.deepEqual([await ear.post(), ear.heard.length], [[204, ""], 2]);
});

Deno.test("a stranger's message that needs a newer reader is refused like any other", async () => {
  await using ear = new Ear();
  const headers = headersFor("2", { secret: `whsec_${btoa("another")}` });
  assert.equal((await ear.post({ headers }))[0], 401);
  assert.equal((await ear.post({ headers: { "feedsync-reader": "2" } }))[0], 401);
  assert.deepEqual(ear.heard, []);
});

Deno.test("an object that needs a newer reader is answered like a message that does", async () => {
  await using ear = new Ear();
  const body = edited('"feedsync":1', '"feedsync":3');
  assert.deepEqual(await ear.post({ body }), [415, "A reader of format 3 is required\n"]);
  assert.deepEqual(ear.heard, [{ name: NAME }]);
});

Deno.test("what is not known in a message is ignored: headers, members of the object in it, a newer format", async () => {
  await using ear = new Ear();
  const body = edited('"format":1', '"format":2,"later":{"a":1}');
  const headers = { ...headersFor("1", { body }), "feedsync-later": "a", "content-type": "a/b" };
  assert.deepEqual(await ear.post({ headers, body }), [204, ""]);
  assert.deepEqual(ear.heard.map(({ updates }) => updates), [decodeBody(NAME, BODY)]);
});

Deno.test("other paths and methods are not known", async () => {
  await using ear = new Ear();
  const status = async (path: string, method: string) => {
    const response = await fetch(ear.url + path, { method });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await status("/", "GET"), 404);
  assert.equal(await status("/commits", "GET"), 405);
});

Deno.test("an address that is in use is an error that names it", async () => {
  await using ear = new Ear();
  const options = {
    secret: SECRET,
    wakeToken: undefined,
    log: logAt(STORE),
    clock: systemEnvironment.clock,
    onCommit: () => {},
  };
  const address = ear.url.slice("http://".length);
  assert.throws(() => listen(address, options), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, new RegExp(`Cannot listen at ${address}: .*in use`));
    return true;
  });
});

Deno.test("an event of the bucket tells of commits, when it bears the token", async () => {
  await using ear = new Ear();
  const event = {
    Records: [{ s3: { bucket: { name: "bucket" }, object: { key: keyOf(NAME.key) } } }],
  };
  const query = `?token=${encodeURIComponent(TOKEN)}`,
    headers = { authorization: `Bearer ${TOKEN}` };
  assert.equal(await ear.wake(event, {}), 401);
  assert.equal(await ear.wake(event, { query: "?token=another" }), 401);
  assert.equal(await ear.wake("no JSON", { query }), 400);
  assert.equal(await ear.wake({ a: 1 }, { query }), 400);
  assert.deepEqual(ear.heard, []);
  assert.equal(await ear.wake(event, { query }), 204);
  assert.equal(await ear.wake(event, { headers }), 204);
  assert.deepEqual(ear.heard, [{ name: NAME }, { name: NAME }]);
});

function keyOf(key: string): string {
  return encodeURIComponent(`prefix/${key}`);
}

Deno.test("a body that does not come does not hold up the end, and a malformed host is no failure", async () => {
  const ear = new Ear();
  const { hostname, port } = new URL(ear.url);
  const open = async (host: string) => {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const signed = Object.entries(new Signer(SECRET).sign(ID, BODY, Date.now()));
    const headers = [["host", host], ["content-length", "100"], ...signed];
    const head = headers.map((header) => `${header.join(": ")}\r\n`).join("");
    await connection.write(new TextEncoder().encode(`POST /commits HTTP/1.1\r\n${head}\r\n`));
    return connection;
  };
  using malformed = await open("a b");
  const buffer = new Uint8Array(1000);
  const size = await malformed.read(buffer);
  assert.match(new TextDecoder().decode(buffer.subarray(0, size!)), /^HTTP\/1.1 400/);
  using _silent = await open("ear");
  assert.equal((await ear.post())[0], 204); // By now the other one is being read.
  await ear[Symbol.asyncDispose]();
});

Deno.test("a sender who stops in the middle of a body is refused after a while", async () => {
  const time = new VirtualTime();
  await using ear = new Ear({ clock: time.clock });
  const { hostname, port } = new URL(ear.url);
  using sender = await Deno.connect({ hostname, port: Number(port) });
  const signed = Object.entries(new Signer(SECRET).sign(ID, BODY, Date.now()));
  const head = ["POST /commits HTTP/1.1", `Host: ${hostname}`, `Content-Length: ${BODY.length}`]
    .concat(signed.map(([name, value]) => `${name}: ${value}`), "", "").join("\r\n");
  await sender.write(new TextEncoder().encode(head));
  await sender.write(BODY.subarray(0, 10));
  const buffer = new Uint8Array(1000);
  const size = await time.run(sender.read(buffer));
  assert.match(new TextDecoder().decode(buffer.subarray(0, size!)), /^HTTP\/1.1 408/);
  assert.deepEqual(ear.heard, []);
});

Deno.test("a host whose messages are refused is told every hour, and once when they no longer are", async () => {
  const time = new VirtualTime(), MINUTE = 60_000;
  using log = captureLog();
  await using ear = new Ear({ clock: time.clock });
  const told = (pattern: RegExp) => log.lines.filter((line) => pattern.test(line)).length;
  for (let minute = 0; minute <= 150; minute++) {
    assert.equal((await ear.post({ secret: `whsec_${btoa("another")}` }))[0], 401);
    time.skip(MINUTE);
  }
  assert.equal(told(/^warning: Refused a message from 127\.0\.0\.1: Not signed/), 3);
  const name = objectName({ ...NAME, first: 4, last: 4 }), id = messageId(STORE, name.key);
  const update = { id: crypto.randomUUID(), url: "https://example.com/", time: 0 };
  const line = updateLine({ ...update, body: '"content":"a","metadata":{}' }, 4);
  const body = new Uint8Array(encodeBody(name, [line], { time: "2026-01-01T00:00:00.000Z" }));
  await ear.post({ secret: `whsec_${btoa("another")}` });
  await ear.post();
  assert.equal(told(/no longer refused/), 0, "the host may have another server that is refused");
  time.skip(MINUTE);
  assert.deepEqual(await ear.post({ id, body }), [204, ""]);
  assert.equal(told(/^info: Messages from 127\.0\.0\.1 are no longer refused$/), 1);
});
