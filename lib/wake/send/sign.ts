/**
 * Signs what is sent to peers.
 *
 * @module
 */
import type { BucketLog } from "../../log/bucket_log.ts";
import { mediaTypeOf } from "../../stores/body_format.ts";
import { MESSAGE_READER, messageId, READER_HEADER, SERVICE_HEADER } from "../message.ts";
import type { Signer } from "../signature.ts";

/** An object as it is stored. */
export interface SentObject {
  /** Its key. */
  readonly key: string;
  /** Its bytes. */
  readonly body: Uint8Array;
}

/** What is sent: an object with headers that show that a server with the secret sends it. */
export interface SignedMessage {
  /** The headers. */
  readonly headers: Record<string, string>;
  /** The body. */
  readonly body: Uint8Array;
}

/** Signs the message about an object in the store. */
export function signMessage(
  { key, body }: SentObject,
  signer: Signer,
  log: Pick<BucketLog, "url" | "service" | "now">,
): SignedMessage {
  const { url, service } = log;
  const headers = {
    ...signer.sign(messageId(url, key), body, log.now()),
    "content-type": mediaTypeOf(body),
    [READER_HEADER]: String(MESSAGE_READER),
    ...service !== undefined && { [SERVICE_HEADER]: encodeURI(service) },
  };
  return { headers, body };
}
