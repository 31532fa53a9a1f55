/** `GET /v1/consumers`: all consumers. */
import { consumersOf } from "../consumers.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { consumersSchema } from "../schemas.ts";

export const getConsumers = route({
  method: "get",
  path: "/v1/consumers",
  summary: "Lists the consumers, and how far they are",
  answers: { 200: { description: "By name", body: { [JSON_TYPE]: consumersSchema } } },
  handle: (_request, context) => Response.json(consumersOf(context).list()),
});
