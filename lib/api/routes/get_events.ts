/** `GET /v1/events`: what happens, for the page. */
import { EVENTS } from "../events/schemas.ts";
import { EVENT_STREAM } from "../media_types.ts";
import { pulledBody } from "../pulled_body.ts";
import { route } from "../route.ts";
import { SCHEMAS } from "../schemas.ts";

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
    const slot = eventStreams.take();
    const body = pulledBody(events.subscribe(), { clock, closing, slot });
    return new Response(body as BodyInit, { headers: { "Content-Type": EVENT_STREAM } });
  },
});
