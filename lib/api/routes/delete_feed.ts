/** `DELETE /v1/feeds?url=`: publishes that a feed is gone. */
import * as z from "zod";
import { publishFor } from "../publishing.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { receiptSchema } from "../schemas.ts";
import { withKey } from "../update_bodies.ts";

const receipt = { [JSON_TYPE]: receiptSchema };

export const deleteFeed = route({
  method: "delete",
  path: "/v1/feeds",
  summary: "Publishes that a feed is gone",
  query: z.strictObject({
    url: z.string().meta({ description: "URL of the feed" }),
    id: z.string().optional().meta({ description: "The same as Idempotency-Key" }),
  }),
  headers: {
    "Prefer": "`wait=N`: how many seconds to wait for the store; by default `publishTimeout`",
    "Idempotency-Key": "within a day, the same request again has the same answer",
  },
  answers: {
    200: { description: "It is known to be gone", body: receipt },
    201: { description: "That is in the bucket", body: receipt },
    202: { description: "That is safe in the state, and uploaded later", body: receipt },
  },
  errors: { 409: "The id was given to another update within the last day" },
  async handle(request, context) {
    const { url, id } = request.query;
    const given = withKey({ updates: [{ url, removed: true, id }], form: "one" }, request);
    const { receipts, ...init } = await publishFor(request, given, { context, ifChanged: true });
    return Response.json(receipts[0], init);
  },
});
