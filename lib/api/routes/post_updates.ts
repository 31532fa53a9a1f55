/** `POST /v1/updates`: publishes updates. */
import * as z from "zod";
import { checked } from "../../checked.ts";
import type { CheckedFeed } from "../../fleet/turns/outcome.ts";
import type { ApiContext } from "../context.ts";
import { type Published, publishFor } from "../publishing.ts";
import type { ApiRequest } from "../request.ts";
import { JSON_TYPE, NDJSON } from "../media_types.ts";
import { type Answer, route } from "../route.ts";
import { receiptSchema, updateInputSchema } from "../schemas.ts";
import { contentIn, type GivenUpdates, updatesIn, withKey } from "../update_bodies.ts";

const query = z.strictObject({
  url: z.string().optional().meta({
    description: "URL of the feed whose content the body is, byte for byte",
  }),
  ifChanged: z.boolean().optional().meta({
    description: "Publish only content that differs from the newest known one",
  }),
  id: z.string().optional().meta({ description: "With url: the same as Idempotency-Key" }),
  status: z.int().min(100).max(999).optional().meta({
    description: "With url: HTTP status with which the content was fetched; tells POST /v1/checked",
  }),
  etag: z.string().optional().meta({ description: "With status: the header ETag" }),
  lastModified: z.string().optional().meta({
    description: "With status: the header Last-Modified",
  }),
  cacheControl: z.string().optional().meta({
    description: "With status: the header Cache-Control",
  }),
  ttl: z.string().optional().meta({
    description: "With status: how long the feed asks not to be fetched again",
  }),
});

type Query = z.output<typeof query>;

const receipts: Answer["body"] = {
  [JSON_TYPE]: z.union([receiptSchema, z.array(receiptSchema)]),
  [NDJSON]: receiptSchema,
};

export const postUpdates = route({
  method: "post",
  path: "/v1/updates",
  summary: "Publishes updates",
  description:
    "One update, an array of them, JSON lines, or with `url` the bytes of one. Several " +
    "are published all or none. The answer has the form of the request.",
  query,
  headers: {
    "Prefer": "`wait=N`: how many seconds to wait for the store; by default `publishTimeout`",
    "Idempotency-Key": "within a day, the same request again has the same answer",
  },
  body: {
    [JSON_TYPE]: z.union([updateInputSchema, z.array(updateInputSchema)]),
    [NDJSON]: updateInputSchema,
    "application/octet-stream": "bytes",
  },
  answers: {
    200: { description: "Nothing had to be published", body: receipts },
    201: { description: "The updates are in the bucket", body: receipts },
    202: { description: "They are safe in the state, and uploaded later", body: receipts },
  },
  errors: {
    409: "An id was given to another update within the last day",
    413: "The body is too large",
    415: "The body has the wrong type",
  },
  async handle(request, context) {
    const { url, ifChanged = false } = request.query;
    if (url !== undefined) return await publishBytes(request, context, url);
    const given = withKey(await updatesIn(request), request);
    return answer(given, await publishFor(request, given, { context, ifChanged }));
  },
});

async function publishBytes(
  request: ApiRequest<Query>,
  context: ApiContext,
  url: string,
): Promise<Response> {
  const { ifChanged = false, id } = request.query;
  const content = await contentIn(request);
  const given = withKey({ updates: [{ url, content, id }], form: "one" }, request);
  const published = await publishFor(request, given, { context, ifChanged });
  const outcome = await checkedBy(request.query, { context, url, content });
  return answer(given, published, outcome && { checked: outcome });
}

/** Says that the feed was checked, if the request says how. */
async function checkedBy(
  { status, etag, lastModified, cacheControl, ttl }: Query,
  { context, url, content }: {
    readonly context: ApiContext;
    readonly url: string;
    readonly content: string | Uint8Array;
  },
): Promise<CheckedFeed | undefined> {
  if (status === undefined) return undefined;
  const headers = {
    ...etag !== undefined && { etag },
    ...lastModified !== undefined && { "last-modified": lastModified },
    ...cacheControl !== undefined && { "cache-control": cacheControl },
  };
  return await checked(context.sync, url, { status, headers, content, ttl });
}

function answer(
  { form }: GivenUpdates,
  { receipts, ...init }: Published,
  more: { readonly checked: CheckedFeed } | undefined = undefined,
): Response {
  if (form === "array") return Response.json(receipts, init);
  if (form === "one") {
    return Response.json({ ...receipts[0], ...more }, withLocation(receipts[0], init));
  }
  const lines = receipts.map((receipt) => `${JSON.stringify(receipt)}\n`).join("");
  return new Response(lines, { ...init, headers: { ...init.headers, "Content-Type": NDJSON } });
}

/** Where to ask later. */
function withLocation(
  receipt: Published["receipts"][number],
  { status, headers }: Omit<Published, "receipts">,
): ResponseInit {
  if (receipt.status !== "queued") return { status, headers };
  return { status, headers: { ...headers, Location: `/v1/updates/${receipt.id}` } };
}
