import assert from "node:assert/strict";
import { KeyFile } from "../../../lib/log/encryption/key_file.ts";
import { ConfigError } from "../../../lib/errors.ts";
import { captureLog, Keys } from "../../encryption/keys.ts";

const SECRET = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
const SHORT = SECRET.slice(0, 22);

const NAMES = { kty: "oct", k: SECRET, alg: "HS256", kid: "n", use: "sig" };

function set(...keys: Record<string, unknown>[]): string {
  return JSON.stringify({
    keys: keys.map((key) => ({
      kty: "oct",
      k: SECRET,
      alg: "A256GCM",
      kid: "a",
      use: "enc",
      ...key,
    })),
    names: NAMES,
  });
}

/** A file with these former names keys. */
function setWithFormer(formerNames: unknown): string {
  return JSON.stringify({ ...JSON.parse(set({})), formerNames });
}

/** A file whose names key is another one. */
function setWithNames(names: unknown): string {
  return JSON.stringify({ ...JSON.parse(set({})), names });
}

async function refusal(path: string): Promise<ConfigError> {
  try {
    await KeyFile.open(path);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error;
  }
  throw new Error(`${path} was accepted`);
}

Deno.test("a key file that is wrong is refused: it is said why, and never what is in a key", async () => {
  await using keys = new Keys();
  const cases: [string, RegExp][] = [
    ["", /the file is not JSON/],
    [set({}).slice(0, -2), /the file is not JSON/],
    [`{"keys":[{"k":${SECRET}}]}`, /the file is not JSON/],
    ["null", /not a JWK Set/],
    [`["${SECRET}"]`, /not a JWK Set/],
    [`{"keys":[]}`, /the file has no keys/],
    [`{"keys":[null]}`, /key 1 has no 'kid'/],
    [set({ kid: undefined }), /key 1 has no 'kid'/],
    [set({}, { kid: "" }), /key 2 has no 'kid'/],
    [set({ kid: "a".repeat(129) }), /more than 128 characters/],
    [set({}, {}), /two keys have the 'kid' "a"/],
    [set({ kty: "RSA" }), /key 1 \("a"\) must have the 'kty' "oct"/],
    [set({ alg: "A128GCM" }), /'alg' "A256GCM"/],
    [set({ use: "sig" }), /'use' "enc"/],
    [set({ k: SHORT }), /16 bytes in 'k', not 32/],
    [set({ k: SECRET + SECRET }), /'k'/],
    [set({ k: `${SECRET}!` }), /'k' that is not base64url/],
    [set({ k: undefined }), /'k' that is not base64url/],
    [setWithNames(null), /the names key must have the 'kty' "oct"/],
    [setWithNames(SECRET), /the names key must have the 'kty' "oct"/],
    [setWithNames({ ...NAMES, kty: "EC" }), /the names key must have the 'kty' "oct"/],
    [setWithNames({ ...NAMES, alg: "HS512" }), /the names key must have the 'alg' "HS256"/],
    [setWithNames({ ...NAMES, use: "enc" }), /the names key must have the 'use' "sig"/],
    [setWithNames({ ...NAMES, k: SHORT }), /the names key has 16 bytes in 'k', not 32/],
    [setWithNames({ ...NAMES, k: undefined }), /the names key has a 'k' that is not base64url/],
    [setWithFormer({}), /'formerNames' is not a list of names keys/],
    [setWithFormer([null]), /a former names key must have the 'kty' "oct"/],
    [setWithFormer([{ ...NAMES, k: SHORT }]), /a former names key has 16 bytes in 'k', not 32/],
  ];
  for (const [text, message] of cases) {
    await keys.write(text);
    const error = await refusal(keys.path);
    assert.match(error.message, message);
    assert.ok(error.message.includes(keys.path));
    const shown = Deno.inspect(error);
    assert.ok(!shown.includes(SHORT) && !shown.includes(SECRET.slice(0, 8)), shown);
  }
});

Deno.test("a key file without a names key is refused, with the one command that adds it", async () => {
  await using keys = await Keys.make();
  await keys.dropNamesKey();
  const { message } = await refusal(keys.path);
  const command = `feedsync keygen --names ${keys.path}`;
  assert.ok(message.includes(`no names key; run ${command} on one server, and copy`), message);
});

Deno.test("the names key is taken from the file whenever that changes, and cannot be exported", async () => {
  await using keys = await Keys.make();
  const file = await KeyFile.open(keys.path);
  await assert.rejects(crypto.subtle.exportKey("raw", file.keys.names));
  const before = file.keys.names;
  await using others = await Keys.make();
  await keys.replaceBy(others);
  await file.look();
  assert.notEqual(file.keys.names, before);
  assert.equal(file.revision, 1);
  await keys.dropNamesKey();
  using log = captureLog();
  const last = file.keys;
  await file.look();
  assert.equal(file.keys, last);
  assert.match(log.lines[0], /no names key.*its previous keys stay in use until it is fixed/);
});

Deno.test("a key file that does not exist is refused, with how to make one", async () => {
  await using keys = new Keys();
  assert.match((await refusal(keys.path)).message, /does not exist; feedsync keygen makes one/);
});

Deno.test({
  name: "a key file that others may read or write is refused, with what to do",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using keys = await Keys.make();
    for (const mode of [0o640, 0o620, 0o604, 0o602, 0o644, 0o666]) {
      await Deno.chmod(keys.path, mode);
      assert.match((await refusal(keys.path)).message, new RegExp(`chmod 600 ${keys.path}`));
    }
    for (const mode of [0o600, 0o400]) {
      await Deno.chmod(keys.path, mode);
      await KeyFile.open(keys.path);
    }
  },
});

Deno.test("keys that other programs have made are taken", async () => {
  await using keys = new Keys();
  const { keys: made } = JSON.parse(
    set({ alg: undefined, use: undefined, key_ops: ["encrypt"] }),
  );
  const names = { kty: "oct", k: SECRET, key_ops: ["sign"] };
  await keys.write("\uFEFF" + JSON.stringify({ keys: made, names }));
  const file = await KeyFile.open(keys.path);
  assert.equal(file.keys.first.kid, "a");
});

Deno.test("what is damaged while it is used changes nothing, and is told once", async () => {
  await using keys = await Keys.make();
  using log = captureLog();
  const file = await KeyFile.open(keys.path);
  const before = file.keys, text = await keys.text();
  await keys.write(text.slice(0, 50));
  for (let i = 0; i < 3; i++) await file.look();
  assert.equal(file.keys, before);
  assert.equal(file.revision, 0);
  const warnings = () => log.lines.filter((line) => line.startsWith("warning"));
  assert.equal(warnings().length, 1);
  assert.match(warnings()[0], /not JSON; its previous keys stay in use until it is fixed/);

  await Deno.remove(keys.path);
  for (let i = 0; i < 3; i++) await file.look();
  assert.equal(file.keys, before);
  assert.match(warnings()[1], /no longer exists/);
  assert.equal(warnings().length, 2);

  await keys.write(text);
  const added = await keys.add();
  await file.look();
  assert.ok(file.keys.keys.has(added));
  assert.equal(file.revision, 1);
  assert.equal(warnings().length, 2);
});

Deno.test("that the key file is gone is said, and that the same keys are back", async () => {
  await using keys = await Keys.make();
  const file = await KeyFile.open(keys.path);
  using log = captureLog();
  await Deno.rename(keys.path, `${keys.path}.away`);
  await file.look();
  await Deno.rename(`${keys.path}.away`, keys.path);
  for (let i = 0; i < 3; i++) await file.look();
  const [kid] = await keys.kids();
  assert.deepEqual(log.lines, [
    `warning: Cannot read the keys in ${keys.path}: it no longer exists; ` +
    "its previous keys stay in use until it is fixed",
    `info: The keys in ${keys.path} can be read again`,
    `info: Encrypting with the key ${kid}, the first of 1 in ${keys.path}`,
  ]);
});

Deno.test("keys that have not changed are not read again", async () => {
  await using keys = await Keys.make();
  const file = await KeyFile.open(keys.path);
  const before = file.keys;
  await file.look();
  assert.equal(file.keys, before);
});
