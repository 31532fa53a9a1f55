/** `GET /`: the page, for people. */
import { HTML } from "../media_types.ts";
import { PAGE } from "../page/files.ts";
import { pageResponse } from "../page/response.ts";
import { route } from "../route.ts";

export const getPage = route({
  method: "get",
  path: "/",
  summary: "Returns a page that shows all servers, dead letters and updates in a browser",
  answers: { 200: { description: "The page", body: { [HTML]: "bytes" } } },
  handle: () => pageResponse(PAGE, HTML),
});
