/**
 * The local API for a program in another process, against the verbs that it calls, and against a
 * handler that does no more than it must.
 *
 * @module
 */
import { type FeedSync, publish, type UpdateInput } from "@feedsync/feedsync";
import { API, type Client, clientOf, startClient } from "./client.ts";
import { interleave, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { atLeastTimes, atMostTimes, type Row, told } from "./rows.ts";
import { samples, sampleUpdate } from "./sample.ts";

/** Updates in a request. */
const MANY = 1000;

export async function* localApi(place: Place): AsyncIterable<Row> {
  await using server = await place.server("api", place.bucket(), { api: API });
  await using poster = await startClient(server.sync, "poster.ts");
  await using barePoster = startBarePoster(server.sync);
  const publishOne = () => {
    const update = sampleUpdate();
    return timed(() => publish(server.sync, update));
  };
  const one = await interleave({
    posted: () => post(poster, 1),
    bare: () => post(barePoster, 1),
    published: publishOne,
  }, { rounds: 25, warmUp: 5, block: 24 });
  const rest = { unit: "ms", limit: one.published };
  const name = "POST /v1/updates, one at a time, 1 KB";
  yield atMostTimes(1.2, { name, value: one.posted, ...rest });
  yield told({ name: BARE, value: one.bare, ...rest });
  yield* publishingMany(server.sync, { poster, barePoster });
}

const BARE = "  to a handler without checks";

async function* publishingMany(
  sync: FeedSync,
  { poster, barePoster }: { readonly poster: Client; readonly barePoster: Client },
): AsyncIterable<Row> {
  const publishMany = async () => {
    const updates: UpdateInput[] = samples(MANY);
    return MANY / await timed(() => publish(sync, updates)) * 1000;
  };
  const many = await interleave({
    posted: async () => MANY / await post(poster, MANY) * 1000,
    bare: async () => MANY / await post(barePoster, MANY) * 1000,
    published: publishMany,
  }, { rounds: 15, warmUp: 3 });
  const rest = { unit: "/s", limit: many.published };
  const name = `POST /v1/updates, ${MANY} a request`;
  yield atLeastTimes(0.7, { name, value: many.posted, ...rest });
  yield told({ name: BARE, value: many.bare, ...rest });
}

/** Milliseconds that a program needs to post so many updates at once. */
async function post({ program, next }: Client, updates: number): Promise<number> {
  program.send({ updates });
  return (await next<{ ms: number }>()).ms;
}

/** The same program, with a handler that only parses, publishes, and returns the receipts. */
function startBarePoster(sync: FeedSync): Client {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => Response.json(await publish(sync, await request.json()), { status: 201 }),
  );
  const address = `127.0.0.1:${server.addr.port}`;
  const client = clientOf({ address, token: API.token }, "poster.ts");
  return {
    ...client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server.shutdown();
    },
  };
}
