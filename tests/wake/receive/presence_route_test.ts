import assert from "node:assert/strict";
import { CorruptObjectError, MissingKeyError } from "../../../lib/errors.ts";
import { presenceName } from "../../../lib/log/fleet/names.ts";
import { messageId, READER_HEADER, SERVICE_HEADER } from "../../../lib/wake/message.ts";
import { Signer } from "../../../lib/wake/signature.ts";
import type { OnPresence } from "../../../lib/wake/source.ts";
import { Ear, ID, SECRET, STORE } from "../ear.ts";

const NAME = presenceName({
  stream: "web-1_abcdefgh",
  writer: "ijklmnop",
  interval: 300,
  weight: 1,
  list: undefined,
});
const BODY = new TextEncoder().encode("a presence as it is stored");
const GREETING = { path: "/presence", id: messageId(STORE, NAME.key), body: BODY };

/** A listener that looks for peers, and the greetings that it takes. */
class GreetedEar extends Ear {
  readonly greetings: Parameters<OnPresence>[];

  constructor(options: { service?: string; error?: Error } = {}) {
    const greetings: Parameters<OnPresence>[] = [];
    const onPresence: OnPresence = (...greeting) => {
      greetings.push(greeting);
      return options.error ? Promise.reject(options.error) : Promise.resolve();
    };
    super({ ...options, onPresence });
    this.greetings = greetings;
  }
}

const signed = () => new Signer(SECRET).sign(GREETING.id, BODY, Date.now());

Deno.test("a greeting is heard, with the bytes of the presence", async () => {
  await using ear = new GreetedEar();
  assert.deepEqual(await ear.post(GREETING), [204, ""]);
  assert.deepEqual(ear.greetings, [[NAME, new Uint8Array(BODY)]]);
  assert.deepEqual(ear.heard, []);
});

Deno.test("greetings of strangers, replays, and what is no presence of this store are refused", async () => {
  await using ear = new GreetedEar();
  const secret = `whsec_${btoa("a secret that the others lack")}`;
  const minutes = 60_000;
  assert.equal((await ear.post({ ...GREETING, secret }))[0], 401);
  assert.equal((await ear.post({ ...GREETING, now: Date.now() - 6 * minutes }))[0], 401);
  assert.equal((await ear.post({ ...GREETING, now: Date.now() + 6 * minutes }))[0], 401);
  assert.equal((await ear.post({ ...GREETING, headers: {} }))[0], 401);
  const ids = [
    ID,
    messageId(STORE, "present/web-1_abcdefgh/x"),
    messageId("s3://other/prefix", NAME.key),
    `advertise:${GREETING.id}`,
  ];
  for (const id of ids) {
    assert.deepEqual(await ear.post({ ...GREETING, id }), [409, "Not a presence of this store\n"]);
  }
  assert.deepEqual(ear.greetings, []);
  assert.equal((await ear.post(GREETING))[0], 204);
  assert.deepEqual(await ear.post(GREETING), [409, "Already received\n"]);
  assert.equal(ear.greetings.length, 1);
});

Deno.test("a commit is no greeting, and a greeting no commit", async () => {
  await using ear = new GreetedEar();
  assert.equal((await ear.post({ path: "/presence" }))[0], 409);
  assert.equal((await ear.post({ ...GREETING, path: "/commits" }))[0], 409);
  assert.deepEqual([...ear.greetings, ...ear.heard], []);
});

Deno.test("a greeting from a bucket of the same name elsewhere is not taken", async () => {
  await using ear = new GreetedEar({ service: "minio:9000" });
  const headers = { ...signed(), [SERVICE_HEADER]: "staging:9000" };
  assert.equal((await ear.post({ ...GREETING, headers }))[0], 204);
  assert.deepEqual(ear.greetings, []);
});

Deno.test("a greeting that is too large, or cannot be read, is refused; one without its key is not", async () => {
  await using ear = new GreetedEar();
  const large = new Uint8Array(4 * 1024 * 1024 + 1);
  assert.equal((await ear.post({ ...GREETING, body: large }))[0], 413);
  await using corrupt = new GreetedEar({ error: new CorruptObjectError(NAME.key, "it is empty") });
  assert.equal((await corrupt.post(GREETING))[0], 400);
  await using locked = new GreetedEar({ error: new MissingKeyError(NAME.key, "k", "not here") });
  assert.equal((await locked.post(GREETING))[0], 204);
  const headers = { ...signed(), [READER_HEADER]: "2" };
  assert.equal((await ear.post({ ...GREETING, headers }))[0], 415);
  assert.deepEqual(ear.greetings, []);
});

Deno.test("a listener that looks for no peers does not know greetings", async () => {
  await using ear = new Ear();
  assert.equal((await ear.post(GREETING))[0], 404);
});
