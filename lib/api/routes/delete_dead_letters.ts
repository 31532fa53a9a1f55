/** `DELETE /v1/dead-letters?id=`: drops dead letters. */
import * as z from "zod";
import { deadLetters } from "../../dead_letters.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { droppedSchema } from "../schemas.ts";

export const deleteDeadLetters = route({
  method: "delete",
  path: "/v1/dead-letters",
  summary: "Drops dead letters",
  query: z.strictObject({
    id: z.array(z.int().positive()).min(1).meta({ description: "Number of a letter; repeatable" }),
  }),
  answers: { 200: { description: "How many existed", body: { [JSON_TYPE]: droppedSchema } } },
  handle: ({ query: { id } }, { sync }) => Response.json({ dropped: deadLetters(sync).drop(id) }),
});
