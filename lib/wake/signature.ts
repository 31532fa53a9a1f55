/**
 * Signatures of messages between servers, by [Standard Webhooks](https://www.standardwebhooks.com):
 * HMAC-SHA256 of id, time and body. Unlike there, the body may be any bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** A secret: `whsec_` and base64. */
export const WEBHOOK_SECRET: RegExp =
  /^whsec_(?!$)([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** How old a message may be, and how far in the future: clocks differ. */
export const TOLERANCE_MS: number = 5 * 60 * 1000;

/** A message may have several signatures while secrets are rotated; others are ignored. */
const MAX_SIGNATURES = 8;

/** Least length of a secret by Standard Webhooks. */
const MIN_SECRET_BYTES = 24;

/** Whether the text is a secret: `whsec_` and base64 of at least 24 bytes. */
export function isSecret(text: string): boolean {
  return WEBHOOK_SECRET.test(text) &&
    Uint8Array.fromBase64(text.slice("whsec_".length)).length >= MIN_SECRET_BYTES;
}

/** Signs messages, and verifies signatures made with the same secret. */
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

  /** The id of a message that has a signature, not verified yet, and a recent timestamp. */
  idOf(headers: Headers, now: number): string | undefined {
    const [id, timestamp, signature] = partsOf(headers);
    const isTimely = /^\d{1,12}$/.test(timestamp) &&
      Math.abs(now - Number(timestamp) * 1000) <= TOLERANCE_MS;
    return isTimely && signature !== "" ? id : undefined;
  }

  /** The id of a message that was signed with the secret recently; undefined for others. */
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
