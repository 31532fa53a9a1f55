import assert from "node:assert/strict";
import { connect } from "../../lib/connect.ts";
import { connectionOf } from "../../lib/connection.ts";
import { ConfigError, CorruptObjectError, MissingKeyError } from "../../lib/errors.ts";
import { publish } from "../../lib/publish.ts";
import { Keys } from "../encryption/keys.ts";
import { named, report } from "../fleet/status/reports.ts";
import { workspace } from "../cli/feedsync.ts";
import { findingsWith } from "./findings.ts";

type Encryption = { readonly keys: string; readonly allowPlaintext?: boolean } | undefined;

/** A store in which a server has published and is present. */
async function home(encryption?: Encryption) {
  const { path, ...rest } = await workspace();
  const store = `file:${path}/store`;
  const publishAs = async (server: string, encryption: Encryption) => {
    await using sync = await connect({ store, server, encryption });
    await publish(sync, { url: `https://example.com/${server}`, content: "a" });
    const { log } = connectionOf(sync).parts!;
    await log.fleet.writePresence(named(server), report({}, Date.now()));
  };
  await publishAs("web-2", encryption);
  const find = async (encryption?: Encryption) =>
    (await findingsWith({ store, encryption })).filter(({ check }) => check === "keys");
  return { ...rest, publishAs, find };
}

Deno.test("what others wrote can be read with their keys, and not without", async () => {
  await using keys = await Keys.make();
  await using place = await home({ keys: keys.path });
  const found = await place.find({ keys: keys.path });
  assert.deepEqual(found.map(({ level, what }) => `${level}: ${what.split(":")[0]}`), [
    `ok: The keys in ${keys.path} can be used, and only by their owner`,
    "ok: The newest commit can be read",
    "ok: No update is kept in newest/ yet",
    "ok: Presences can be read",
  ]);
  const without = (await place.find()).filter(({ level }) => level === "error");
  assert.equal(without.length, 2);
  for (const { error, what } of without) {
    assert.ok(error instanceof MissingKeyError);
    assert.match(what, /no keys are configured: set 'encryption\.keys'/);
  }
});

Deno.test("a key file that others may read is wrong, and one without a names key", async () => {
  await using keys = await Keys.make();
  await using place = await home();
  await Deno.chmod(keys.path, 0o644);
  const [open, objects] = await place.find({ keys: keys.path });
  assert.ok(open.error instanceof ConfigError);
  assert.match(open.what, /users other than its owner may read or write it; run chmod 600/);
  assert.deepEqual([objects.level, objects.advice], ["unchecked", "the keys cannot be used"]);
  await Deno.chmod(keys.path, 0o600);
  await keys.dropNamesKey();
  const [nameless] = await place.find({ keys: keys.path });
  assert.match(nameless.what, /there is no names key; run feedsync keygen --names/);
});

Deno.test("plain objects are wrong where there are keys, and doubtful where they are allowed", async () => {
  await using keys = await Keys.make();
  await using place = await home();
  const refused = (await place.find({ keys: keys.path })).filter(({ level }) => level === "error");
  assert.ok(refused.length === 2 && refused[0].error instanceof CorruptObjectError);
  assert.match(refused[0].what, /it is not encrypted: a server without keys wrote it/);
  const allowed = await place.find({ keys: keys.path, allowPlaintext: true });
  assert.deepEqual(allowed.filter(({ level }) => level !== "ok").map(({ what }) => what), [
    "Unencrypted objects are read, too ('encryption.allowPlaintext')",
    "web-2: not encrypted, although this machine has keys",
  ]);
});
