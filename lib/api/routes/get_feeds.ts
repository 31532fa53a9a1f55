/** `GET /v1/feeds`: the newest content of a feed, or the list of all feeds. */
import * as z from "zod";
import { feeds } from "../../feeds.ts";
import { newest } from "../../newest.ts";
import { contentBytes, contentHash, type Update, updateToJson } from "../../update.ts";
import type { ApiContext } from "../context.ts";
import { ApiError, invalidRequest, notFound } from "../errors.ts";
import { ndjsonResponse } from "../ndjson.ts";
import type { ApiRequest } from "../request.ts";
import { JSON_TYPE, NDJSON } from "../media_types.ts";
import { route } from "../route.ts";
import { feedInfoSchema, updateSchema } from "../schemas.ts";

const query = z.strictObject({
  url: z.string().optional().meta({ description: "URL of the feed whose content is wanted" }),
  as: z.enum(["content", "update"]).optional().meta({
    description: "With url: the content byte for byte (default), or the whole update as JSON",
  }),
  since: z.string().optional().meta({
    description: 'Without url: only feeds updated within this time, such as "1d"',
  }),
  server: z.string().optional().meta({
    description: "Without url: only feeds whose newest update this server published",
  }),
});

type Query = z.output<typeof query>;

/** Content of feeds is anybody's: it must not run, or be anything else than what it is called. */
const CONTENT_HEADERS = {
  "Content-Security-Policy": "sandbox; default-src 'none'",
  "Content-Disposition": "attachment",
};

export const getFeeds = route({
  method: "get",
  path: "/v1/feeds",
  summary: "Returns the newest content of a feed, or lists all feeds",
  description: "With `url`: the content, with an ETag; parsed content is indented JSON. Without: " +
    "a line for each feed; an error that ends the list early is the last line.",
  query,
  headers: { "If-None-Match": "an ETag: if the content is still the same, the answer is 304" },
  answers: {
    200: {
      description: "The content, or the list",
      body: {
        [NDJSON]: feedInfoSchema,
        [JSON_TYPE]: updateSchema,
        "text/plain": "bytes",
        "application/octet-stream": "bytes",
      },
    },
    304: { description: "The content is still the same" },
  },
  errors: {
    404: "Nobody has published the feed",
    410: "The feed is gone",
    502: "A part of the log cannot be read",
  },
  handle: (request, context) =>
    request.query.url === undefined ? list(request, context) : content(request, context),
});

function list(request: ApiRequest<Query>, context: ApiContext): Response {
  const { as, since, server } = request.query;
  if (as !== undefined) throw invalidRequest("Cannot use 'as' without 'url'");
  const slot = context.streams.take();
  const listed = feeds(context.sync, { since, server, signal: context.closing });
  return ndjsonResponse(listed, { ...context, slot });
}

async function content(
  request: ApiRequest<Query>,
  { sync, closing }: ApiContext,
): Promise<Response> {
  const { url, as = "content" } = request.query;
  const update = await newest(sync, url!, { signal: closing });
  if (!update) throw notFound("Nobody has published this feed, as far as this server knows");
  if (as === "update") return Response.json(updateToJson(update));
  const bytes = contentBytes(update);
  if (!bytes) throw new ApiError(410, { name: "FeedGoneError", message: "The feed is gone" });
  const etag = `"${contentHash(bytes)}"`;
  const headers = { ...CONTENT_HEADERS, ETag: etag, ...headersOf(update) };
  if (matches(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(bytes as BodyInit, { headers });
}

function headersOf({ content, id, server, time }: Update): Record<string, string> {
  return {
    "Content-Type": content instanceof Uint8Array
      ? "application/octet-stream"
      : "text/plain; charset=utf-8",
    "Last-Modified": new Date(time).toUTCString(),
    "Feedsync-Id": id,
    "Feedsync-Server": server,
    "Feedsync-Time": time,
  };
}

function matches(header: string | null, etag: string): boolean {
  const tags = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}
