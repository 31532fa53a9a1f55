/** `GET /page/FILE`: what the page loads. */
import { notFound } from "../errors.ts";
import { PAGE_FILES } from "../page/files.ts";
import { pageResponse } from "../page/response.ts";
import { route } from "../route.ts";

/** Media types by the ends of names. */
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  js: "text/javascript",
  svg: "image/svg+xml",
};

export const getPageFile = route({
  method: "get",
  path: "/page/{file}",
  summary: "Returns a file that the page loads",
  answers: {
    200: {
      description: "The file",
      body: Object.fromEntries(Object.values(TYPES).map((type) => [type, "bytes"])),
    },
  },
  errors: { 404: "The page has no such file" },
  handle({ params: { file } }) {
    const text = PAGE_FILES.get(file);
    if (text === undefined) throw notFound("The page has no such file");
    return pageResponse(text, TYPES[file.split(".").at(-1)!]);
  },
});
