/** `POST /v1/consumers/NAME/seek`: has a consumer go on elsewhere. */
import { consumersOf, nameOf } from "../consumers.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { consumerSchema, seekSchema } from "../schemas.ts";

export const seekConsumer = route({
  method: "post",
  path: "/v1/consumers/{name}/seek",
  summary: "Has a consumer go on elsewhere",
  description:
    "`newest`: again with the newest update of every feed; `now`: with what comes next; or " +
    "behind a cursor, as far back as lines are kept.",
  body: { [JSON_TYPE]: seekSchema },
  answers: { 200: { description: "The consumer", body: { [JSON_TYPE]: consumerSchema } } },
  errors: {
    404: "There is no such consumer",
    410: "The cursor is of another epoch: go on with `error.cursor`",
  },
  async handle(request, context) {
    const { to } = await request.json(seekSchema);
    return Response.json(consumersOf(context).seek(nameOf(request), to));
  },
});
