/**
 * Many publishers at once, against a program that does only what publishing their updates together
 * cannot do without.
 *
 * @module
 */
import { publish } from "@feedsync/feedsync";
import { barePublisher } from "./bare/publisher.ts";
import { bareStore } from "./bare/store.ts";
import { interleave, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { atMostTimes, type Row } from "./rows.ts";
import { samples } from "./sample.ts";

const PUBLISHERS = 64;
/** How many each of them publishes, one after the other, when it has its turn. */
const UPDATES = 50;

export async function* concurrent(place: Place): AsyncIterable<Row> {
  const bucket = place.bucket();
  await using server = await place.server("publisher", bucket);
  using bare = barePublisher(bareStore(bucket), place.stateFile());
  const { value, limit } = await interleave({
    async value() {
      const work = Array.from({ length: PUBLISHERS }, () => samples(UPDATES));
      const ms = await timed(() =>
        Promise.all(work.map(async (own) => {
          for (const update of own) await publish(server.sync, update);
        }))
      );
      return ms / (PUBLISHERS * UPDATES) * 1000;
    },
    async limit() {
      const groups = Array.from({ length: UPDATES }, () => samples(PUBLISHERS));
      const ms = await timed(async () => {
        for (const group of groups) await bare.publish(group);
      });
      return ms / (PUBLISHERS * UPDATES) * 1000;
    },
  }, { rounds: 12, warmUp: 3 });
  yield atMostTimes(place.isDirectory ? 2.6 : 1.9, {
    name: `${PUBLISHERS} publishers, 1 KB, each update`,
    ...{ value, unit: "µs", limit },
  });
}
