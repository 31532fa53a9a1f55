/**
 * The address that a server advertises in its presence, for others to send it their commits. Its
 * signature shows that a server with the peers' secret said so: whoever can write to the bucket
 * could otherwise direct the servers to any address.
 *
 * What is signed is a message of [Standard Webhooks](https://www.standardwebhooks.com): its id is
 * `advertise:<store>/<key of the presence>`, its time is `time` in seconds, its body the origin. No
 * store's URL begins like that, so it is no message that a listener would take.
 *
 * @module
 */
import { advertisedOrigin } from "../base/advertised_origin.ts";
import type { ResolvedWake } from "../config/wake.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import type { PresenceName } from "../log/fleet/names.ts";
import type { AdvertisedAddress } from "../log/fleet/presence.ts";
import { messageId } from "../wake/message.ts";
import { Signer } from "../wake/signature.ts";

/** Maximum time between the signature and the object's LastModified. */
const TOLERANCE_MS = 10 * 60 * 1000;

/** A signature as it may appear in a header. */
const SIGNATURE = /^[!-~]+( [!-~]+)*$/;

/** What signs addresses. */
export interface SigningParts {
  /** The configuration of the address and the secret. */
  readonly wake: Pick<ResolvedWake, "advertise" | "secret">;
  /** The bucket that the address is written to. */
  readonly log: Pick<BucketLog, "url" | "now">;
}

/** Signs the address for the own presence `name`; undefined when none is to be advertised. */
export function signedAddress(
  { key }: PresenceName,
  { wake: { advertise: origin, secret }, log }: SigningParts,
): AdvertisedAddress | undefined {
  if (origin === undefined || secret === undefined) return undefined;
  const seconds = Math.floor(log.now() / 1000);
  const body = new TextEncoder().encode(origin);
  const headers = new Signer(secret).sign(idOf(key, log.url), body, seconds * 1000);
  const time = new Date(seconds * 1000).toISOString();
  return { origin, time, signature: headers["webhook-signature"] };
}

/** What there is to say about the address in a presence. */
export type AddressVerdict =
  /** It has none. */
  | "none"
  /** It belongs to a peer. */
  | "valid"
  /** It is no origin that may be advertised. */
  | "invalid origin"
  /** It was signed with another secret, or for another presence or bucket. */
  | "wrong signature"
  /** It was signed long before the presence was written, or after that. */
  | "expired";

/** How addresses are checked. */
export interface AddressRules {
  /** The secret shared by all peers. */
  readonly secret: string;
  /** URL of the store. */
  readonly store: string;
  /** When the presence was written, by the store's clock: its LastModified. */
  readonly writtenAt: number;
}

/** Checks the address in the presence `name`. */
export function checkAddress(
  { key }: PresenceName,
  address: AdvertisedAddress | undefined,
  { secret, store, writtenAt }: AddressRules,
): AddressVerdict {
  if (!address) return "none";
  const { origin, signature } = address, signedAt = Date.parse(address.time);
  if (advertisedOrigin(origin) !== origin) return "invalid origin";
  if (!SIGNATURE.test(signature) || Number.isNaN(signedAt)) return "wrong signature";
  const headers = new Headers({
    "webhook-id": idOf(key, store),
    "webhook-timestamp": String(Math.floor(signedAt / 1000)),
    "webhook-signature": signature,
  });
  const isSigned = new Signer(secret).verify(headers, new TextEncoder().encode(origin), signedAt);
  if (isSigned === undefined) return "wrong signature";
  return Math.abs(writtenAt - signedAt) <= TOLERANCE_MS ? "valid" : "expired";
}

function idOf(key: string, store: string): string {
  return `advertise:${messageId(store, key)}`;
}
