/**
 * `feedsync --help` against an empty program.
 *
 * @module
 */
import { interleave, timed } from "./measure.ts";
import { pathOf, runProgram } from "./program.ts";
import { atMostTimes, type Row } from "./rows.ts";

/** Starts of each. */
const STARTS = 30;

export async function* help(): AsyncIterable<Row> {
  const { feedsync, empty } = await interleave({
    feedsync: () => timed(() => runProgram(pathOf("../../cli.ts"), "--help")),
    empty: () => timed(() => runProgram(pathOf("programs/empty.ts"))),
  }, { rounds: STARTS, warmUp: 3 });
  yield atMostTimes(1.5, { name: "cli.ts --help", value: feedsync, unit: "ms", limit: empty });
}
