/**
 * Signatures of messages between servers, according to [Standard
 * Webhooks](https://www.standardwebhooks.com): HMAC-SHA256 of id, time and body. Unlike in that
 * standard, the body may be any bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** Form of a secret: `whsec_` and base64. */
const WEBHOOK_SECRET = /^whsec_(?!$)([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Maximum age of a message, and maximum time it may be in the future, since clocks differ. */
export const TOLERANCE_MS: number = 5 * 60 * 1000;

/** Maximum number of signatures checked: a message may have several while secrets are rotated. */
const MAX_SIGNATURES = 8;

/**
 * Signs messages, and verifies signatures made with the same secret.
 *
 * @example
 * ```ts
 * import { Signer } from "@feedsync/feedsync/plugin";
 * import assert from "node:assert/strict";
 *
 * const signer = new Signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
 * const body = new TextEncoder().encode("{}");
 * const headers = new Headers(signer.sign("msg_1", body, Date.now()));
 * assert.equal(signer.verify(headers, body, Date.now()), "msg_1");
 * ```
 */
export class Signer {
  readonly #key: Uint8Array;

  /**
   * Creates a signer with a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.
   *
   * @throws {TypeError} when it is not `whsec_` and base64.
   */
  constructor(secret: string) {
    if (!WEBHOOK_SECRET.test(secret)) {
      throw new TypeError('Cannot sign messages: the secret is not "whsec_" and base64');
    }
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

  /** The id of a message with a recent timestamp and a signature, which is not verified yet. */
  idOf(headers: Headers, now: number): string | undefined {
    const [id, timestamp, signature] = partsOf(headers);
    const isTimely = /^\d{1,12}$/.test(timestamp) &&
      Math.abs(now - Number(timestamp) * 1000) <= TOLERANCE_MS;
    return isTimely && signature !== "" ? id : undefined;
  }

  /** The id of a message that was recently signed with the secret; undefined for others. */
  verify(headers: Headers, body: Uint8Array, now: number): string | undefined {
    const [id, timestamp, signatures] = partsOf(headers);
    if (this.idOf(headers, now) === undefined) return undefined;
    const wanted = Buffer.from(`v1,${this.#mac(id, timestamp, body).toString("base64")}`);
    const isSigned = signatures.split(" ", MAX_SIGNATURES).some((signature) => {
      const given = Buffer.from(signature);
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    });
    return isSigned ? id : undefined;
  }

  #mac(id: string, timestamp: string, body: Uint8Array) {
    return createHmac("sha256", this.#key).update(`${id}.${timestamp}.`).update(body).digest();
  }
}

function partsOf(headers: Headers): string[] {
  return ["id", "timestamp", "signature"].map((name) => headers.get(`webhook-${name}`) ?? "");
}
