/**
 * Memory after many polls that find nothing, against as many listings.
 *
 * @module
 */
import type { Place } from "./place.ts";
import { startProgram } from "./program.ts";
import { atMost, atMostTimes, type Row, told } from "./rows.ts";

const MB = 1e6;

/** Resident memory after some polls or listings. */
export interface Reading {
  /** How many. */
  readonly polls: number;
  /** Bytes. */
  readonly rss: number;
}

export async function* memory(place: Place): AsyncIterable<Row> {
  const bucket = await place.filled(100);
  const watching = await readings("idle_polls.ts", { ...bucket, state: place.stateFile() });
  const listing = await readings("idle_listings.ts", bucket);
  for (const [index, { polls, rss }] of watching.entries()) {
    const measurement = {
      name: `memory of watch after ${polls.toLocaleString("en")} idle polls`,
      value: rss / MB,
      unit: "MB",
      limit: listing[index].rss / MB,
    };
    const isLast = index === watching.length - 1;
    yield isLast ? atMost(110, measurement) : told(measurement);
  }
  const [before, last] = watching.slice(-2);
  yield atMostTimes(1.05, {
    name: "  the same, against half as many polls: it is flat",
    value: last.rss / MB,
    unit: "MB",
    limit: before.rss / MB,
  });
}

async function readings(program: string, input: unknown): Promise<Reading[]> {
  await using running = startProgram(program, input);
  const lines = await Array.fromAsync(running.lines);
  return lines.map((line) => JSON.parse(line));
}
