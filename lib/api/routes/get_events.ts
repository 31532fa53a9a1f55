/** `GET /v1/events`: what happens, for the page. */
import { EVENTS } from "../events/schemas.ts";
import { EVENT_STREAM } from "../media_types.ts";
import { pulledBody } from "../pulled_body.ts";
import { route } from "../route.ts";
import { SCHEMAS } from "../schemas.ts";

/** A proxy must not collect events. */
const HEADERS = { "Content-Type": EVENT_STREAM, "X-Accel-Buffering": "no" };

const NAMES = Object.entries(EVENTS)
  .map(([name, schema]) => `\`${name}\` (${SCHEMAS.get(schema)!.id})`).join(", ");

export const getEvents = route({
  method: "get",
  path: "/v1/events",
  summary: "Tells what happens, for the page",
  description:
    `Events without contents: ${NAMES}. Something is told at least every 15 seconds. Who ` +
    "reads slowly misses updates, and sees it by their numbers; nothing is acknowledged.",
  answers: { 200: { description: "Events without end", body: { [EVENT_STREAM]: "bytes" } } },
  errors: { 503: "Too many read events at once" },
  handle(_request, { events, eventStreams, clock, closing }) {
    using taken = new DisposableStack();
    const slot = taken.use(eventStreams.take());
    const body = pulledBody(events.subscribe(), { clock, closing, slot });
    taken.move(); // The body gives it back.
    return new Response(body as BodyInit, { headers: HEADERS });
  },
});
