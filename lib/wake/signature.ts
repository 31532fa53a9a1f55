/**
 * Signatures of what servers send each other, as [Standard Webhooks](https://www.standardwebhooks.com)
 * has them: HMAC-SHA256 of id, time and body. The body may be any bytes.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** What a secret looks like: `whsec_` and base64. */
export const WEBHOOK_SECRET: RegExp =
  /^whsec_(?!$)([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A message counts as sent just now within so many milliseconds: clocks differ. */
export const TOLERANCE: number = 5 * 60 * 1000;

/** Signs messages, and tells those that were signed with the same secret. */
export class Signer {
  readonly #key: Uint8Array;

  /** With a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`. */
  constructor(secret: string) {
    this.#key = Uint8Array.fromBase64(secret.slice("whsec_".length));
  }

  /** The headers of a message with this id and body, sent `now`. */
  sign(id: string, body: Uint8Array, now: number): Record<string, string> {
    const timestamp = String(Math.floor(now / 1000));
    return {
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${this.#mac(id, timestamp, body).toString("base64")}`,
    };
  }

  /** The id of a message that was signed with the secret not long ago; otherwise undefined. */
  verify(headers: Headers, body: Uint8Array, now: number): string | undefined {
    const [id, timestamp, signatures] = ["id", "timestamp", "signature"]
      .map((name) => headers.get(`webhook-${name}`) ?? "");
    if (!/^\d{1,12}$/.test(timestamp)) return undefined;
    if (Math.abs(now - Number(timestamp) * 1000) > TOLERANCE) return undefined;
    const expected = this.#mac(id, timestamp, body);
    const isSigned = signatures.split(" ").some((signature) => {
      const given = new TextEncoder().encode(signature.replace(/^v1,/, ""));
      const wanted = new TextEncoder().encode(expected.toString("base64"));
      return signature.startsWith("v1,") && given.length === wanted.length &&
        timingSafeEqual(given, wanted);
    });
    return isSigned ? id : undefined;
  }

  #mac(id: string, timestamp: string, body: Uint8Array) {
    return createHmac("sha256", this.#key).update(`${id}.${timestamp}.`).update(body).digest();
  }
}
