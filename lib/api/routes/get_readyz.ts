/** `GET /readyz`: whether updates are accepted. The store has no part in that: they are queued. */
import { tooBusy } from "../errors.ts";
import { JSON_TYPE } from "../media_types.ts";
import { route } from "../route.ts";
import { healthSchema } from "../schemas.ts";

export const getReadyz = route({
  method: "get",
  path: "/readyz",
  summary: "Tells whether updates are accepted",
  description: "Also while the store is away: updates are queued then.",
  isOpen: true,
  answers: { 200: { description: "They are", body: { [JSON_TYPE]: healthSchema } } },
  errors: { 503: "The server is stopping, or its state cannot be written" },
  handle(_request, { connection, closing }) {
    if (closing.aborted || connection.isClosed) throw tooBusy("The server is stopping");
    // Takes the lock for writing, so that a state that cannot be written is found out.
    connection.parts?.state.transaction(() => {}, { durable: false });
    return Response.json({ status: "ok" });
  },
});
