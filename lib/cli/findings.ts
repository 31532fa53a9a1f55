/**
 * Prints what checks find.
 *
 * @module
 */
import type { CheckFinding } from "../check.ts";
import { Printer } from "./finding_printer.ts";
import type { Arguments } from "./command.ts";
import { exitCodeOf } from "./exit.ts";
import { configureLogging } from "./logging.ts";
import { printJson } from "./output.ts";

/** Prints findings; resolves to the exit code, that of the first thing that is wrong. */
export async function reportFindings(
  args: Arguments,
  findings: AsyncIterable<CheckFinding>,
): Promise<number> {
  // What is worth a warning is found, too.
  configureLogging({ level: args.has("verbose") ? "debug" : "error", json: args.has("json") });
  const printer = new Printer({ isQuiet: args.has("quiet") });
  let failure: Error | undefined, isDoubtful = false;
  for await (const finding of findings) {
    failure ??= finding.error;
    isDoubtful ||= finding.level === "warning";
    if (args.has("json")) await printJson({ ...finding, error: finding.error?.name });
    else await printer.print(finding);
  }
  if (!args.has("json")) await printer.end();
  if (failure) return exitCodeOf(failure);
  return isDoubtful && args.has("strict") ? 1 : 0;
}
