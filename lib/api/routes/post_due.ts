/** `POST /v1/due`: asks which feeds are to be fetched now. */
import { due } from "../../due.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { dueInputSchema, turnsSchema } from "../schemas.ts";

export const postDue = route({
  method: "post",
  path: "/v1/due",
  summary: "Asks which feeds are to be fetched now",
  body: { [JSON_TYPE]: dueInputSchema },
  answers: {
    200: { description: "For each URL, in order", body: { [JSON_TYPE]: turnsSchema } },
  },
  errors: { 503: "The store cannot be reached, and the other servers were never seen" },
  async handle(request, { sync, closing }) {
    const { urls, every, limit } = await request.json(dueInputSchema);
    return Response.json(await due(sync, urls, { every, limit, signal: closing }));
  },
});
