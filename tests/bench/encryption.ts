/**
 * Publishing and catching up with encryption, against the same without, by turns.
 *
 * @module
 */
import { join } from "node:path";
import { type Config, publish } from "@feedsync/feedsync";
import { makeKeyFile } from "../../lib/log/encryption/edit_keys.ts";
import { applyAll } from "./catch_up.ts";
import { interleave, timed } from "./measure.ts";
import type { Place } from "./place.ts";
import { atLeastTimes, type Row } from "./rows.ts";
import { samples } from "./sample.ts";
import type { StoreAddress } from "./store.ts";

const PUBLISHERS = 64;
const UPDATES = 100;
const TO_CATCH_UP = 50_000;
const BULK = 1000;

/** At most a quarter of the throughput. */
const SHARE = 0.75;

export async function* encryption(place: Place): AsyncIterable<Row> {
  const directory = await Deno.makeTempDir({ prefix: "feedsync-bench-" });
  try {
    const keys = join(directory, "keys.json");
    await makeKeyFile(keys);
    const encrypted = { encryption: { keys } };
    yield await publishing(place, encrypted);
    yield await catchingUp(place, encrypted);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function publishing(place: Place, config: Config): Promise<Row> {
  await using encrypting = await place.server("encrypting", place.bucket(), config);
  await using plain = await place.server("plain", place.bucket());
  const publishWith = ({ sync }: typeof plain) => async () => {
    const work = Array.from(
      { length: PUBLISHERS },
      () => samples(UPDATES),
    );
    const ms = await timed(() =>
      Promise.all(work.map(async (own) => {
        for (const update of own) await publish(sync, update);
      }))
    );
    return PUBLISHERS * UPDATES / ms * 1000;
  };
  const { value, limit } = await interleave({
    value: publishWith(encrypting),
    limit: publishWith(plain),
  }, { rounds: 9, warmUp: 2 });
  const name = `${PUBLISHERS} publishers, 1 KB, encrypted, against plain`;
  return atLeastTimes(SHARE, { name, value, unit: "updates/s", limit });
}

async function catchingUp(place: Place, config: Config): Promise<Row> {
  const [encrypted, plain] = [place.bucket(), place.bucket()];
  await fill(place, encrypted, config);
  await fill(place, plain, {});
  const { value, limit } = await interleave({
    value: () => catchUp(place, encrypted, config),
    limit: () => catchUp(place, plain, {}),
  }, { rounds: 5, warmUp: 1 });
  const name = `catching up on ${
    TO_CATCH_UP.toLocaleString("en")
  } updates, encrypted, against plain`;
  return atLeastTimes(SHARE, { name, value, unit: "updates/s", limit });
}

async function fill(place: Place, bucket: StoreAddress, config: Config): Promise<void> {
  await using server = await place.server("filler", bucket, config);
  for (let done = 0; done < TO_CATCH_UP; done += BULK) {
    await publish(server.sync, samples(BULK));
  }
}

async function catchUp(place: Place, bucket: StoreAddress, config: Config): Promise<number> {
  await using server = await place.server("reader", bucket, config);
  return TO_CATCH_UP / await applyAll(server, TO_CATCH_UP) * 1000;
}
