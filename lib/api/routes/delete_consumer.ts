/** `DELETE /v1/consumers/NAME`: deletes a consumer. */
import { consumersOf, nameOf } from "../consumers.ts";
import { notFound } from "../errors.ts";
import { route } from "../route.ts";

export const deleteConsumer = route({
  method: "delete",
  path: "/v1/consumers/{name}",
  summary: "Deletes a consumer",
  answers: { 204: { description: "It is deleted" } },
  errors: { 404: "There is no such consumer" },
  handle(request, context) {
    const name = nameOf(request);
    if (consumersOf(context).delete(name)) return new Response(null, { status: 204 });
    throw notFound(`There is no consumer ${name}`);
  },
});
