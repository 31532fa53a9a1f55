/** `PUT /v1/consumers/NAME`: makes a consumer. */
import { consumersOf, nameOf } from "../consumers.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { consumerInputSchema, consumerSchema } from "../schemas.ts";

const consumer = { [JSON_TYPE]: consumerSchema };

export const putConsumer = route({
  method: "put",
  path: "/v1/consumers/{name}",
  summary: "Makes a consumer",
  description: "If there is one with this name, it goes on where it is.",
  body: { [JSON_TYPE]: consumerInputSchema },
  answers: {
    200: { description: "It was there", body: consumer },
    201: { description: "It is made", body: consumer },
  },
  errors: { 409: "There are too many consumers" },
  async handle(request, context) {
    const options = await request.json(consumerInputSchema);
    const consumers = consumersOf(context), name = nameOf(request);
    const status = consumers.get(name) ? 200 : 201;
    return Response.json(consumers.put(name, options), { status });
  },
});
