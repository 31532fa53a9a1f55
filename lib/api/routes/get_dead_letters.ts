/** `GET /v1/dead-letters`: the updates that plugins could not apply. */
import { deadLetters } from "../../dead_letters.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { deadLettersSchema } from "../schemas.ts";

export const getDeadLetters = route({
  method: "get",
  path: "/v1/dead-letters",
  summary: "Lists the updates that plugins could not apply",
  answers: { 200: { description: "Oldest first", body: { [JSON_TYPE]: deadLettersSchema } } },
  handle: (_request, { sync }) => Response.json(deadLetters(sync).list()),
});
