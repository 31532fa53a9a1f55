/** `POST /v1/checked`: says what came of fetching a feed. */
import { checked } from "../../checked.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { checkedFeedSchema, checkedInputSchema } from "../schemas.ts";
import { decodedContent } from "../update_bodies.ts";

export const postChecked = route({
  method: "post",
  path: "/v1/checked",
  summary: "Says what came of fetching a feed",
  body: { [JSON_TYPE]: checkedInputSchema },
  answers: {
    200: { description: "When its next turn is", body: { [JSON_TYPE]: checkedFeedSchema } },
  },
  async handle(request, { sync }) {
    const { url, content, encoding, ...outcome } = await request.json(checkedInputSchema);
    const known = decodedContent({ content, encoding }, "the request body");
    return Response.json(await checked(sync, url, { ...outcome, ...known }));
  },
});
