/**
 * How often to poll.
 *
 * @module
 */
import { parseDuration } from "../base/duration.ts";
import type { Duration, PollConfig } from "./config.ts";

/** A single duration is both ends of the range. */
export function pollRange(poll: Duration | PollConfig): { min: number; max: number } {
  const { min, max } = typeof poll === "object" ? poll : { min: poll, max: poll };
  return { min: parseDuration(min), max: parseDuration(max) };
}
