import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import { Signer, TOLERANCE_MS } from "../../lib/wake/signature.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW = Date.parse("2026-01-01T00:00:00.500Z");
const BODY = new TextEncoder().encode('{"some":"text"}');

function headersOf(signer: Signer, body = BODY, now = NOW): Headers {
  return new Headers(signer.sign("message-1", body, now));
}

Deno.test("what is signed is what Standard Webhooks' own library signs and takes", () => {
  const now = new Date();
  const headers = new Signer(SECRET).sign("message-1", BODY, now.getTime());
  const webhook = new Webhook(SECRET);
  assert.equal(headers["webhook-signature"], webhook.sign("message-1", now, '{"some":"text"}'));
  assert.deepEqual(webhook.verify('{"some":"text"}', headers), { some: "text" });
});

Deno.test("a message is known by its signature, whatever bytes it has", () => {
  const signer = new Signer(SECRET);
  const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.equal(signer.verify(headersOf(signer, body), body, NOW + 1000), "message-1");
});

Deno.test("a message of a stranger, or one that was changed, is not known", () => {
  const signer = new Signer(SECRET);
  const stranger = new Signer("whsec_" + btoa("another secret of some length"));
  assert.equal(signer.verify(headersOf(stranger), BODY, NOW), undefined);
  assert.equal(signer.verify(headersOf(signer), BODY.subarray(1), NOW), undefined);
  for (
    const [name, value] of [
      ["webhook-id", "message-2"],
      ["webhook-timestamp", String(NOW / 1000 + 1)],
      ["webhook-timestamp", "soon"],
      ["webhook-signature", ""],
      ["webhook-signature", "v1,"],
      ["webhook-signature", "v1,AAAA v2,AAAA"],
    ]
  ) {
    const headers = headersOf(signer);
    headers.set(name, value);
    assert.equal(signer.verify(headers, BODY, NOW), undefined, `${name}: ${value}`);
  }
  assert.equal(signer.verify(new Headers(), BODY, NOW), undefined);
});

Deno.test("one of several signatures is enough: secrets change", () => {
  const signer = new Signer(SECRET);
  const headers = headersOf(signer);
  headers.set("webhook-signature", `v1,AAAA ${headers.get("webhook-signature")}`);
  assert.equal(signer.verify(headers, BODY, NOW), "message-1");
});

Deno.test("a message that is too old, or of the future, is not known", () => {
  const signer = new Signer(SECRET);
  for (const now of [NOW - TOLERANCE_MS - 1000, NOW + TOLERANCE_MS + 1000]) {
    assert.equal(signer.verify(headersOf(signer), BODY, now), undefined);
  }
});
