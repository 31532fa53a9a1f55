/**
 * The local API for a program in another process, against the verbs that it calls.
 *
 * @module
 */
import { publish, type UpdateInput } from "@feedsync/feedsync";
import { serveApi } from "@feedsync/feedsync/api";
import { interleave, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { startProgram } from "./program.ts";
import { atLeastTimes, atMostTimes, type Row } from "./rows.ts";
import { sampleUpdate } from "./sample.ts";

const TOKEN = "a-token-for-benchmarks";

/** Updates in a request. */
const MANY = 1000;

export async function* localApi(place: Place): AsyncIterable<Row> {
  const api = { listen: "127.0.0.1:0", token: TOKEN };
  await using server = await place.server("api", place.bucket(), { api });
  await using serving = await serveApi(server.sync);
  await using poster = startProgram("poster.ts", { address: serving.address, token: TOKEN });
  const post = async (updates: number): Promise<number> => {
    poster.send({ updates });
    const { value } = await poster.lines.next();
    return JSON.parse(value).ms;
  };
  const publishOne = () => {
    const update = sampleUpdate();
    return timed(() => publish(server.sync, update));
  };
  const rounds = { rounds: 25, warmUp: 5, block: 24 };
  const one = await interleave({ posted: () => post(1), published: publishOne }, rounds);
  const name = "POST /v1/updates, one at a time, 1 KB";
  yield atMostTimes(1.2, { name, value: one.posted, unit: "ms", limit: one.published });

  const publishMany = async () => {
    const updates: UpdateInput[] = Array.from({ length: MANY }, sampleUpdate);
    return MANY / await timed(() => publish(server.sync, updates)) * 1000;
  };
  const postMany = async () => MANY / await post(MANY) * 1000;
  const many = await interleave({ posted: postMany, published: publishMany }, {
    rounds: 15,
    warmUp: 3,
  });
  yield atLeastTimes(0.7, {
    name: `POST /v1/updates, ${MANY} a request`,
    value: many.posted,
    unit: "/s",
    limit: many.published,
  });
}
