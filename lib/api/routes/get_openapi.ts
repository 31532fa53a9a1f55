/** `GET /openapi.json`: what the API takes and answers, for generators of clients. */
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";

export const getOpenapi = route({
  method: "get",
  path: "/openapi.json",
  summary: "Describes the API, for generators of clients",
  isOpen: true,
  answers: { 200: { description: "OpenAPI 3.1", body: { [JSON_TYPE]: "bytes" } } },
  handle: (_request, { describe }) => Response.json(describe()),
});
