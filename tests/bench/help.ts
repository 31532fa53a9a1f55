/**
 * `feedsync --help` against an empty program: from the source, and from a bundle.
 *
 * @module
 */
import { bundledCommandLine } from "./bundled.ts";
import { interleave, timed } from "./measure.ts";
import { pathOf, runProgram } from "./program.ts";
import { atMostTimes, type Row } from "./rows.ts";

/** Starts of each. */
const STARTS = 30;

export async function* help(): AsyncIterable<Row> {
  await using bundled = await bundledCommandLine();
  const { source, bundle, empty } = await interleave({
    source: () => timed(() => runProgram(pathOf("../../cli.ts"), "--help")),
    bundle: () => timed(() => runProgram(bundled.path, "--help")),
    empty: () => timed(() => runProgram(pathOf("programs/empty.ts"))),
  }, { rounds: STARTS, warmUp: 3 });
  yield atMostTimes(1.5, { name: "cli.ts --help", value: source, unit: "ms", limit: empty });
  yield atMostTimes(1.5, { name: "--help, bundled", value: bundle, unit: "ms", limit: empty });
}
