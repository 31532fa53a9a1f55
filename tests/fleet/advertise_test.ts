import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import { checkAddress, signedAddress } from "../../lib/fleet/advertise.ts";
import { presenceName } from "../../lib/log/fleet/names.ts";
import type { AdvertisedAddress } from "../../lib/log/fleet/presence.ts";

const SECRET = `whsec_${btoa("a secret that all servers have")}`;
const OTHER_SECRET = `whsec_${btoa("a secret that the others lack")}`;
const STORE = "s3://bucket/prefix";
const NOW = Date.parse("2026-01-01T00:00:00.500Z");
const NAME = presenceName({
  stream: "web-1_abcdefgh",
  writer: "ijklmnop",
  interval: 300,
  weight: 1,
  list: undefined,
});
const RULES = { secret: SECRET, store: STORE, writtenAt: NOW };

function sign(
  { origin = "http://web-1:7070", secret = SECRET, store = STORE, now = NOW } = {},
): AdvertisedAddress {
  const wake = { advertise: origin, secret };
  return signedAddress(NAME, { wake, log: { url: store, now: () => now } })!;
}

Deno.test("an address is signed as a message of Standard Webhooks", () => {
  const { origin, time, signature } = sign();
  assert.equal(origin, "http://web-1:7070");
  assert.equal(time, "2026-01-01T00:00:00.000Z");
  const id = `advertise:${STORE}/present/web-1_abcdefgh/ijklmnop.300.1.-`;
  assert.equal(signature, new Webhook(SECRET).sign(id, new Date(time), origin));
});

Deno.test("nothing is advertised unless it is configured", () => {
  const log = { url: STORE, now: () => NOW };
  assert.equal(
    signedAddress(NAME, { wake: { advertise: undefined, secret: SECRET }, log }),
    undefined,
  );
  assert.equal(checkAddress(NAME, undefined, RULES), "none");
});

Deno.test("an address counts for its presence, in its bucket, with the secret that signed it", () => {
  assert.equal(checkAddress(NAME, sign(), RULES), "valid");
  assert.equal(checkAddress(NAME, sign({ secret: OTHER_SECRET }), RULES), "wrong signature");
  assert.equal(checkAddress(NAME, sign({ store: "s3://copy/prefix" }), RULES), "wrong signature");
  const changes = [
    { writer: "qrstuvwx" },
    { stream: "web-2_abcdefgh" },
    { interval: 60 },
    { weight: 2 },
    { list: "0".repeat(32) },
  ];
  for (const change of changes) {
    const other = presenceName({ ...NAME, ...change });
    assert.equal(checkAddress(other, sign(), RULES), "wrong signature", other.key);
  }
});

Deno.test("an address that was changed, or has an odd signature, does not count", () => {
  const address = sign();
  const changes = [
    { origin: "http://web-2:7070" },
    { time: "2026-01-01T00:00:01.000Z" },
    { time: "1969-01-01T00:00:00.000Z" },
    { signature: "" },
    { signature: "v1," },
    { signature: "v1,\n" },
    { signature: "v1,\u{1f600}" },
    { signature: address.signature.replace("v1", "v2") },
    { signature: address.signature.slice(0, -1) },
  ];
  for (const change of changes) {
    const changed = { ...address, ...change };
    assert.equal(checkAddress(NAME, changed, RULES), "wrong signature", JSON.stringify(change));
  }
});

Deno.test("an address is valid when it was signed within ten minutes of its presence", () => {
  const limitMs = 10 * 60 * 1000;
  const address = sign();
  for (const direction of [-1, 1]) {
    const at = (ms: number) => ({ ...RULES, writtenAt: Date.parse(address.time) + direction * ms });
    assert.equal(checkAddress(NAME, address, at(limitMs)), "valid");
    assert.equal(checkAddress(NAME, address, at(limitMs + 1)), "expired");
  }
});

Deno.test("an origin that may not be advertised does not count, even when it is signed", () => {
  const origins = [
    "http://169.254.169.254",
    "http://[fe80::1]:7070",
    "http://[::ffff:169.254.169.254]",
    "http://0.0.0.0:7070",
    "http://web-1:7070/",
    "HTTP://web-1:7070",
    "http://web-1:7070/path",
    "http://user@web-1",
    "ftp://web-1",
    "",
  ];
  for (const origin of origins) {
    assert.equal(checkAddress(NAME, sign({ origin }), RULES), "invalid origin", origin);
  }
});
