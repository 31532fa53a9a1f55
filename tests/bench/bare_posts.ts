/**
 * What a wake-up costs that comes over HTTP when its commit is stored, whatever is in it: a PUT, then a
 * POST of the same bytes to each of three programs that do nothing with it.
 *
 * @module
 */
import { publish } from "@feedsync/feedsync";
import { freePort } from "../servers/ports.ts";
import { median, timed } from "./measure.ts";
import { newestCommit, type Place } from "./place.ts";
import { type Program, startProgram } from "./program.ts";
import { SUBSCRIBERS } from "./rivals/fleet.ts";
import { now } from "./rivals/clock.ts";
import { type Row, told } from "./rows.ts";
import { sampleUpdate } from "./sample.ts";

const ROUNDS = 600, WARM_UP = 120;

export async function* barePosts(place: Place): AsyncIterable<Row> {
  await using running = new AsyncDisposableStack();
  const publisher = running.use(await place.server("publisher", place.bucket()));
  await publish(publisher.sync, sampleUpdate());
  const body = new Uint8Array((await newestCommit(publisher.store)).body);
  const receivers = Array.from({ length: SUBSCRIBERS }, () => {
    const port = freePort();
    return { port, program: running.use(startProgram("bare_receiver.ts", port)) };
  });
  for (const { program } of receivers) await heard(program);

  const times: number[] = [], bare: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const began = now();
    await publisher.store.put(`told/${round}`, body);
    const arrivals = await Promise.all(receivers.map(async ({ port, program }) => {
      const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body });
      await response.body?.cancel();
      return await heard(program);
    }));
    const put = await timed(() => publisher.store.put(`bare/${round}`, body));
    if (round < 0) continue;
    times.push(...arrivals.map((time) => time - began));
    bare.push(put);
  }
  const name = `one PUT, then a bare POST to each of ${SUBSCRIBERS}, 1 KB`;
  yield told({ name, value: median(times), unit: "ms", limit: median(bare) });
}

/** What a receiver prints next. */
async function heard({ lines }: Program): Promise<number> {
  const { done, value } = await lines.next();
  if (done) throw new Error("A receiver has ended, see above");
  return Number(value);
}
