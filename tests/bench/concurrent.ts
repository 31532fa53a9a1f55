/**
 * Many publishers at once, against writing the commits that they make together.
 *
 * @module
 */
import { publish } from "@feedsync/feedsync";
import { timed } from "./measure.ts";
import { newestCommit, type Place, type Server } from "./place.ts";
import { atLeast, type Row } from "./rows.ts";
import { sampleUpdate } from "./sample.ts";

const PUBLISHERS = 64;
const UPDATES = 500;

export async function* concurrent(place: Place): AsyncIterable<Row> {
  await using server = await place.server("publisher", place.bucket());
  await publishTogether(server, UPDATES / 5);
  const ms = await publishTogether(server, UPDATES);
  const value = PUBLISHERS * UPDATES / ms * 1000;
  const limit = await commitsWritten(server) * 1000;
  yield atLeast(5000, { name: `${PUBLISHERS} publishers, 1 KB`, value, unit: "updates/s", limit });
}

/** Each publishes one update after the other. */
function publishTogether({ sync }: Server, updates: number): Promise<number> {
  const work = Array.from(
    { length: PUBLISHERS },
    () => Array.from({ length: updates }, sampleUpdate),
  );
  return timed(() =>
    Promise.all(work.map(async (own) => {
      for (const update of own) await publish(sync, update);
    }))
  );
}

/** Updates a millisecond when their commits are only written. */
async function commitsWritten({ store }: Server): Promise<number> {
  const { name, body } = await newestCommit(store);
  const rounds = 200;
  const ms = await timed(async () => {
    for (let i = 0; i < rounds; i++) await store.put(`bare/${i}`, body);
  });
  return rounds * (name.last - name.first + 1) / ms;
}
