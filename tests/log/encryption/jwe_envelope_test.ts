import assert from "node:assert/strict";
import { zstdDecompressSync } from "node:zlib";
import { compactDecrypt, CompactEncrypt } from "jose";
import { decodeBody, encodeBody, updateLine } from "../../../lib/log/codec.ts";
import { type Envelope, plainEnvelope } from "../../../lib/log/encryption/envelope.ts";
import { mediaTypeOf } from "../../../lib/stores/body_format.ts";
import { CorruptObjectError, MissingKeyError } from "../../../lib/errors.ts";
import { type ObjectName, objectName } from "../../../lib/log/names.ts";
import { Keys } from "../../encryption/keys.ts";

const PARTS = { kind: "tail", stream: "web-1_abcdefgh", first: 3, last: 3 } as const;
const NAME = objectName({ ...PARTS, writer: "ijklmnop" });
const STORE = "s3://bucket/some/prefix";
const CRIT = { crit: { feedsync: true } };
const BODY = encodeBody(NAME, [
  updateLine({
    id: crypto.randomUUID(),
    url: "https://example.com/",
    time: 0,
    body: '"content":"a secret text","metadata":{}',
  }, 3),
], { time: "2026-01-01T00:00:00.000Z" });

async function refusal(
  envelope: Envelope,
  stored: Uint8Array,
  name: ObjectName = NAME,
): Promise<CorruptObjectError> {
  try {
    await envelope.decrypt(name, stored);
  } catch (error) {
    assert.ok(error instanceof CorruptObjectError, `${error}`);
    assert.equal(error.key, name.key);
    return error;
  }
  throw new Error("It was opened");
}

/** What is in the key file, for the library by itself. */
async function secretOf(keys: Keys): Promise<{ secret: Uint8Array; kid: string }> {
  const { keys: [{ k, kid }] } = JSON.parse(await keys.text());
  return { secret: Uint8Array.fromBase64(k, { alphabet: "base64url" }), kid };
}

Deno.test("what is sealed is opened again, and is a JWE that any library decrypts", async () => {
  await using keys = await Keys.make();
  const envelope = await keys.envelope({ store: STORE });
  const stored = await envelope.encrypt(NAME, BODY);
  assert.equal(mediaTypeOf(stored), "application/jose");
  assert.deepEqual(plain(await envelope.decrypt(NAME, stored)), plain(BODY));

  const { secret, kid } = await secretOf(keys);
  const { plaintext, protectedHeader } = await compactDecrypt(stored, secret, CRIT);
  assert.deepEqual(protectedHeader, {
    alg: "dir",
    enc: "A256GCM",
    kid,
    crit: ["feedsync"],
    feedsync: `some/prefix/${NAME.key}`,
  });
  assert.equal(decodeBody(NAME, plaintext)[0].content, "a secret text");
  await assert.rejects(compactDecrypt(stored, secret), /"feedsync" is not recognized/);
});

Deno.test("no two objects are encrypted alike", async () => {
  await using keys = await Keys.make();
  const envelope = await keys.envelope();
  const [one, two] = await Promise.all([1, 2].map(() => envelope.encrypt(NAME, BODY)));
  assert.notDeepEqual(one, two);
});

Deno.test("what was cut off or changed anywhere is refused", async () => {
  await using keys = await Keys.make();
  const envelope = await keys.envelope();
  const stored = await envelope.encrypt(NAME, BODY);
  for (let length = 0; length < stored.length; length++) {
    await refusal(envelope, stored.subarray(0, length));
  }
  const letters = new TextEncoder().encode("AQgw");
  let unused = 0;
  for (let index = 3; index < stored.length; index++) {
    const changed = stored.slice();
    changed[index] = letters.find((letter) => letter !== stored[index])!;
    try {
      assert.deepEqual(plain(await envelope.decrypt(NAME, changed)), plain(BODY));
      unused++;
    } catch (error) {
      assert.ok(error instanceof CorruptObjectError || error instanceof MissingKeyError);
    }
  }
  assert.ok(unused <= 2, "only bits that base64 does not use, at the end of a part, may change");
});

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

Deno.test("an object in the place of another is refused", async () => {
  await using keys = await Keys.make();
  const envelope = await keys.envelope({ store: STORE });
  const stored = await envelope.encrypt(NAME, BODY);
  const places = [
    objectName({ ...PARTS, writer: "aaaaaaaa" }),
    objectName({ ...PARTS, first: 4, last: 4, writer: NAME.writer }),
    objectName({ ...PARTS, kind: "segments", writer: NAME.writer }),
    objectName({ ...PARTS, stream: "web-2_abcdefgh", writer: NAME.writer }),
  ];
  for (const name of places) {
    const { message } = await refusal(envelope, stored, name);
    assert.match(message, /it was encrypted as "some\/prefix\/tail\/web-1_abcdefgh/);
  }
  for (
    const store of ["s3://bucket", "s3://bucket/other", "s3://bucket/some", "file:/some/prefix"]
  ) {
    await refusal(await keys.envelope({ store }), stored);
  }
});

Deno.test("a bucket may be copied, and the directory of a store may be moved", async () => {
  await using keys = await Keys.make();
  for (const [from, to] of [[STORE, STORE.replace("bucket", "b2")], ["file:/a", "file:/b/c"]]) {
    const stored = await (await keys.envelope({ store: from })).encrypt(NAME, BODY);
    await (await keys.envelope({ store: to })).decrypt(NAME, stored);
  }
});

Deno.test("only what feedsync encrypts is accepted, also with the right key", async () => {
  await using keys = await Keys.make();
  const envelope = await keys.envelope();
  const { secret, kid } = await secretOf(keys);
  const right = { alg: "dir", enc: "A256GCM", kid, crit: ["feedsync"], feedsync: NAME.key };
  const forge = async (header: Record<string, unknown>, key: Uint8Array | CryptoKey = secret) => {
    const options = { crit: { feedsync: true, other: true } };
    const jwe = new CompactEncrypt(BODY).setProtectedHeader({ ...right, ...header });
    return new TextEncoder().encode(await jwe.encrypt(key, options));
  };
  await envelope.decrypt(NAME, await forge({}));
  const cases: [Uint8Array, RegExp][] = [
    [await forge({ feedsync: undefined, crit: undefined }), /encrypted as nothing/],
    [await forge({ feedsync: 1 }), /encrypted as nothing/],
    [await forge({ kid: undefined }), /no 'kid'/],
    [await forge({ crit: ["feedsync", "other"], other: 1 }), /"other" is not recognized/],
    [await forge({ zip: "DEF" }), /has 'zip'/],
    [await forge({ alg: "A256KW" }), /"alg" .* value not allowed/],
    [await forge({ alg: "A256GCMKW" }), /"alg" .* value not allowed/],
    [await forge({ alg: "PBES2-HS256+A128KW", p2c: 1000 }), /"alg" .* value not allowed/],
    [await forge({ enc: "A128GCM" }, secret.slice(0, 16)), /"enc" .* value not allowed/],
    [await forge({ enc: "A256CBC-HS512" }, new Uint8Array(64)), /"enc" .* value not allowed/],
    [await forge({}, secret.map((byte) => byte ^ 1)), /not encrypted with the key that it names/],
  ];
  for (const [stored, message] of cases) {
    assert.match((await refusal(envelope, stored)).message, message);
  }
});

Deno.test("a key that is missing is named, and so is where it should be", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  const stored = await (await others.envelope()).encrypt(NAME, BODY);
  const [kid] = await others.kids();
  const open = async (envelope: Envelope) => await envelope.decrypt(NAME, stored);
  const expected = (hint: string) => (error: unknown) => {
    assert.ok(error instanceof MissingKeyError && !(error instanceof CorruptObjectError));
    assert.equal(error.kid, kid);
    assert.equal(error.key, NAME.key);
    assert.ok(error.message.includes(`"${kid}"`) && error.message.includes(hint), error.message);
    return true;
  };
  await assert.rejects(open(await keys.envelope()), expected(keys.path));
  await assert.rejects(
    open(plainEnvelope),
    expected("'encryption.keys', or FEEDSYNC_ENCRYPTION_KEYS"),
  );
});

Deno.test("plain objects are refused where there are keys, unless that is allowed", async () => {
  await using keys = await Keys.make();
  for (const plain of [BODY, zstdDecompressSync(BODY)]) {
    const { message } = await refusal(await keys.envelope(), plain);
    assert.match(message, /it is not encrypted: a server without keys wrote it/);
  }
  const allowing = await keys.envelope({ allowPlaintext: true });
  assert.equal(await allowing.decrypt(NAME, BODY), BODY);
  assert.equal(plainEnvelope.decrypt(NAME, BODY), BODY);
});

Deno.test("what only begins like a JWE is refused without keys, too", () => {
  for (const text of ["eyJ", "eyJhIjoxfQ", "eyJhIjoxfQ..a.b.c", "eyJ!".repeat(9000)]) {
    const bytes = new TextEncoder().encode(text);
    assert.throws(() => plainEnvelope.decrypt(NAME, bytes), CorruptObjectError);
  }
});

/** What begins like a JWE, with anything in its header. */
function jweWith(header: Record<string, unknown>): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify({ feedsync: NAME.key, ...header }));
  const encoded = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  return new TextEncoder().encode(`${encoded}..${"A".repeat(16)}.AAAA.${"A".repeat(22)}`);
}

Deno.test("a header that is longer than any of feedsync's is refused before it is read", async () => {
  await using keys = await Keys.make();
  const endless = jweWith({ kid: "k", more: "x".repeat(8192) });
  for (const envelope of [await keys.envelope(), plainEnvelope]) {
    const { message } = await refusal(envelope, endless);
    assert.match(message, /its header does not end within 8192 bytes/);
  }
});

Deno.test("a 'kid' that is longer than that of any key is refused, and not kept as a missing one", async () => {
  await using keys = await Keys.make();
  const right = { alg: "dir", enc: "A256GCM", crit: ["feedsync"] };
  for (const envelope of [await keys.envelope(), plainEnvelope]) {
    const jwe = (length: number) => jweWith({ ...right, kid: "k".repeat(length) });
    const { message } = await refusal(envelope, jwe(129));
    assert.match(message, /a 'kid' of more than 128 characters/);
    await assert.rejects(async () => await envelope.decrypt(NAME, jwe(128)), MissingKeyError);
  }
});

Deno.test("the longest key of an object, and the longest id of a key, have room in a header", async () => {
  await using keys = await Keys.make();
  await keys.write((await keys.text()).replace(/"kid": *"[^"]*"/, `"kid":"${"日".repeat(128)}"`));
  const prefix = '"'.repeat(1024 - NAME.key.length - 1);
  const envelope = await keys.envelope({ store: `s3://bucket/${prefix}` });
  const stored = await envelope.encrypt(NAME, BODY);
  assert.deepEqual(plain(await envelope.decrypt(NAME, stored)), plain(BODY));
});
