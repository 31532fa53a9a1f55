import assert from "node:assert/strict";
import { decodeBody } from "../../../lib/log/codec.ts";
import { systemEnvironment } from "../../../lib/base/environment.ts";
import { ConfigError } from "../../../lib/errors.ts";
import { listen } from "../../../lib/wake/receive/listener.ts";
import { messageId } from "../../../lib/wake/message_id.ts";
import { Signer } from "../../../lib/wake/signature.ts";
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
