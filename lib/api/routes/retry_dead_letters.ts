/** `POST /v1/dead-letters/retry`: delivers dead letters once more. */
import { deadLetters, type RetriedLetter } from "../../dead_letters.ts";
import { ndjsonResponse } from "../ndjson.ts";
import { JSON_TYPE, NDJSON } from "../media_types.ts";
import { route } from "../route.ts";
import { deadLetterSchema, retrySchema } from "../schemas.ts";

export const retryDeadLetters = route({
  method: "post",
  path: "/v1/dead-letters/retry",
  summary: "Delivers dead letters to their plugins once more",
  description: "All, or those with `ids`. Each is a line of the answer as soon as it was tried.",
  body: { [JSON_TYPE]: retrySchema },
  answers: { 200: { description: "What became of each", body: { [NDJSON]: deadLetterSchema } } },
  errors: { 503: "Another retry is under way" },
  async handle(request, context) {
    const { ids } = await request.json(retrySchema);
    const slot = context.retries.take();
    const { readable, writable } = new TransformStream<RetriedLetter>();
    const writer = writable.getWriter();
    const retrying = deadLetters(context.sync).retry({
      ids,
      signal: context.closing,
      onRetried(letter) {
        context.events.noteRetry();
        return writer.write(letter);
      },
    });
    retrying.then(() => writer.close(), (error) => writer.abort(error))
      .catch(() => {}) // The client does not listen any more.
      .finally(() => slot[Symbol.dispose]());
    return ndjsonResponse(readable, { ...context, slot: context.streams.take() });
  },
});
