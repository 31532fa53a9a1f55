/** `POST /v1/consumers/NAME/ack`: acknowledges updates. */
import { consumersOf, nameOf } from "../consumers.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { ackSchema, consumerSchema } from "../schemas.ts";

export const ackConsumer = route({
  method: "post",
  path: "/v1/consumers/{name}/ack",
  summary: "Acknowledges a line, and all before it",
  description: "An older cursor changes nothing.",
  body: { [JSON_TYPE]: ackSchema },
  answers: { 200: { description: "The consumer", body: { [JSON_TYPE]: consumerSchema } } },
  errors: {
    404: "There is no such consumer",
    410: "The cursor is of another epoch: go on with `error.cursor`",
  },
  async handle(request, context) {
    const { cursor } = await request.json(ackSchema);
    return Response.json(consumersOf(context).ack(nameOf(request), cursor));
  },
});
