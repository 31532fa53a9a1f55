/** `GET /v1/status`: which servers share the bucket, and how they are. */
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { statusSchema } from "../schemas.ts";

export const getStatus = route({
  method: "get",
  path: "/v1/status",
  summary: "Tells which servers share the bucket, how they are, and what needs a person",
  description: "As `feedsync status --json`.",
  answers: { 200: { description: "The status", body: { [JSON_TYPE]: statusSchema } } },
  errors: { 503: "The store cannot be reached" },
  handle: async (_request, { status }) => Response.json(await status()),
});
