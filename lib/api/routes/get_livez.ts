/** `GET /livez`: whether the process works. */
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { healthSchema } from "../schemas.ts";

export const getLivez = route({
  method: "get",
  path: "/livez",
  summary: "Answers as long as the process works",
  isOpen: true,
  answers: { 200: { description: "It does", body: { [JSON_TYPE]: healthSchema } } },
  handle: () => Response.json({ status: "ok" }),
});
