/**
 * Runs a contender.
 *
 * @module
 */
import type { Place } from "../place.ts";
import type { Contender, Ground } from "./contender.ts";
import { Fleet } from "./fleet.ts";
import { absence, latencies, polledLatencies, throughput } from "./measures.ts";
import type { Measured } from "./result.ts";

/** What a contender runs with. */
export interface RunOptions {
  /** Where feedsync has its buckets; undefined where there is no Ceph. */
  readonly place: Place | undefined;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** Measures the contender that has this name. */
export async function compare(
  name: string,
  contender: Contender,
  options: RunOptions,
): Promise<Measured> {
  const { interval } = contender;
  const speed = await onGround(name, contender, { ...options, purpose: "speed" }, async (fleet) => {
    const found = interval === undefined
      ? await latencies(fleet)
      : await polledLatencies(fleet, interval, options.signal);
    return { ...found, throughput: await throughput(fleet) };
  });
  const missed = await onGround(name, contender, { ...options, purpose: "absence" }, absence);
  return { ...speed, absence: missed };
}

/** Starts the contender anew for some work, and removes everything after it. */
async function onGround<Found>(
  name: string,
  contender: Contender,
  { place, signal, purpose }: RunOptions & Pick<Ground, "purpose">,
  work: (fleet: Fleet) => Promise<Found>,
): Promise<Found> {
  const directory = await Deno.makeTempDir({ prefix: "feedsync-bench-" });
  try {
    await using started = await contender.start({ directory, bucket: place?.bucket(), purpose });
    const { address, nodePrograms } = started;
    const input = { contender: name, address };
    await using fleet = await Fleet.start({ input, nodePrograms, signal });
    return await work(fleet);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
