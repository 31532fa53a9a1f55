/** `GET /v1/updates/ID`: what became of an update. */
import { receiptById } from "../../publish_or_queue.ts";
import { notFound } from "../errors.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { receiptSchema } from "../schemas.ts";

export const getUpdate = route({
  method: "get",
  path: "/v1/updates/{id}",
  summary: "Tells what became of an update",
  description:
    "By the `id` that the publisher gave it, or the UUID of its receipt. Known are, for a " +
    "day, those with an `id` and those that were answered with 202.",
  answers: { 200: { description: "Its receipt", body: { [JSON_TYPE]: receiptSchema } } },
  errors: { 404: "The update is not known" },
  handle({ params: { id } }, { sync }) {
    const receipt = receiptById(sync, id);
    if (receipt) return Response.json(receipt);
    throw notFound(
      `There is no update ${
        JSON.stringify(id.slice(0, 255))
      }: it was never accepted, or is stored ` +
        "and was forgotten",
    );
  },
});
