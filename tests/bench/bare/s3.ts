/**
 * Signed requests to an S3 service, made with `fetch`.
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import type { S3Config } from "@feedsync/feedsync";
import type { BareStore } from "./store.ts";

/** The objects of a bucket, `place` being its name and perhaps a prefix. */
export function bareS3(place: string, config: S3Config): BareStore {
  const { endpoint, region = "us-east-1", accessKeyId, secretAccessKey } = config;
  const { host } = new URL(endpoint!);
  const [bucket, ...prefixes] = place.split("/");
  const root = prefixes.length > 0 ? `${prefixes.join("/")}/` : "";
  let signingKey: Uint8Array | undefined, day = "";

  async function request(method: string, path: string, query = "", body?: Uint8Array) {
    const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
    const hash = createHash("sha256").update(body ?? "").digest("hex");
    const signed = "host;x-amz-content-sha256;x-amz-date";
    const canonical =
      `${method}\n${path}\n${query}\nhost:${host}\nx-amz-content-sha256:${hash}\nx-amz-date:${date}\n\n` +
      `${signed}\n${hash}`;
    const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n` +
      createHash("sha256").update(canonical).digest("hex");
    if (day !== scope) {
      signingKey = scope.split("/").reduce<string | Uint8Array>(
        (key, part) => createHmac("sha256", key).update(part).digest(),
        `AWS4${secretAccessKey}`,
      ) as Uint8Array;
      day = scope;
    }
    const signature = createHmac("sha256", signingKey!).update(text).digest("hex");
    const response = await fetch(`${endpoint}${path}${query && `?${query}`}`, {
      method,
      headers: {
        "x-amz-content-sha256": hash,
        "x-amz-date": date,
        authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, ` +
          `SignedHeaders=${signed}, Signature=${signature}`,
      },
      body: body as BodyInit,
    });
    const bytes = await response.bytes();
    if (!response.ok) throw new Error(new TextDecoder().decode(bytes));
    return bytes;
  }

  const pathOf = (key: string) => `/${bucket}/${encodeURI(root + key)}`;
  return {
    put: async (key, body) => void await request("PUT", pathOf(key), "", body),
    get: (key) => request("GET", pathOf(key)),
    async list(prefix) {
      const query = `list-type=2&prefix=${encodeURIComponent(root + prefix)}`;
      const xml = new TextDecoder().decode(await request("GET", `/${bucket}`, query));
      return Array.from(xml.matchAll(/<Key>(.*?)<\/Key>/g), ([, key]) => key.slice(root.length));
    },
  };
}
