import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Envelope, plainEnvelope } from "../../../lib/log/encryption/envelope.ts";
import { Applications, feedsOf, MINUTE, reasons } from "./servers.ts";

/** Hashes names with a key that can be replaced, as a key file's names key is. */
class KeyedEnvelope {
  revision = 1;
  names = "first";
  readonly readsPlain = false;
  readonly encrypt = plainEnvelope.encrypt;
  readonly decrypt = plainEnvelope.decrypt;
  readonly isCurrent = plainEnvelope.isCurrent;

  digests(text: string): [Uint8Array] {
    return [createHash("sha256").update(this.names).update(text).digest()];
  }

  replaceKey(names: string): void {
    this.names = names;
    this.revision++;
  }
}

Deno.test("a new names key changes all hashes, and what is known of feeds stays", async () => {
  await using apps = new Applications();
  const envelope = new KeyedEnvelope(), urls = feedsOf(10);
  const servers = ["web-1", "web-2"].map((name) =>
    apps.connect(name, { envelope: envelope satisfies Envelope })
  );
  const minutes = async (count: number) => {
    for (let minute = 0; minute < count; minute++) {
      for (const server of servers) await apps.round(server, urls);
      await apps.fleet.time.pass(MINUTE);
    }
  };
  await minutes(5);
  const before = apps.fetches.length;
  envelope.replaceKey("second");
  await minutes(5);
  assert.equal(apps.fetches.length, before);
  const hash = await servers[0].parts!.log.newest.hashOf(urls[0]);
  const rows = servers[0].parts!.state.turns.changedAfter(0);
  assert.equal(rows.find(({ url }) => url === urls[0])!.feed, hash);
  await minutes(15);
  assert.equal(apps.fetches.length, before + 10);
  assert.ok(!reasons(await apps.due(servers[0], urls)).includes("due"));
});
