/** `GET /v1/consumers/NAME/updates`: what comes next for a consumer. */
import * as z from "zod";
import { parseByteSize } from "../../base/byte_size.ts";
import { parseDuration } from "../../base/duration.ts";
import { consumersOf, nameOf } from "../consumers.ts";
import { NDJSON } from "../media_types.ts";
import { route } from "../route.ts";
import { consumerLineSchema } from "../schemas.ts";

export const getConsumerUpdates = route({
  method: "get",
  path: "/v1/consumers/{name}/updates",
  summary: "Hands over what comes next for a consumer",
  description:
    "What comes after the acknowledged cursor, or after `after`: at least one line, however " +
    "large, unless nothing comes while it waits. A consumer has one reader at a time.",
  query: z.strictObject({
    limit: z.int().positive().max(10_000).optional().meta({
      description: "Maximum number of lines; by default 100",
    }),
    maxBytes: z.string().optional().meta({
      description: 'Maximum size of the lines, such as "1MB"; by default "4MiB", at most "64MiB"',
    }),
    wait: z.string().optional().meta({
      description: 'How long to wait for the first line, up to "25s"; by default "0s"',
    }),
    content: z.enum(["text", "bytes", "none"]).optional().meta({
      description:
        "As in the JSON form of updates (default), always as bytes in base64, or not at all",
    }),
    after: z.string().optional().meta({
      description: "A cursor, for reading ahead of what is acknowledged",
    }),
  }),
  answers: { 200: { description: "The lines", body: { [NDJSON]: consumerLineSchema } } },
  errors: {
    404: "There is no such consumer",
    409: "The consumer is read by another request",
    410: "The cursor is of another epoch: go on with `error.cursor`",
  },
  async handle(request, context) {
    const consumers = consumersOf(context), name = nameOf(request);
    const { limit, content, after, wait = 0, maxBytes } = request.query;
    const reading = consumers.read(name, {
      ...{ limit, content, after, signal: context.closing },
      waitMs: parseDuration(wait),
      maxBytes: maxBytes === undefined ? undefined : parseByteSize(maxBytes),
    });
    const lines = await reading.catch((error) => {
      if (context.closing.aborted) return []; // As if nothing had come.
      throw error;
    });
    const text = lines.map(({ json }) => `${json}\n`).join("");
    return new Response(text, { headers: { "Content-Type": NDJSON } });
  },
});
