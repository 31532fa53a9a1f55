/**
 * Prints what checks find.
 *
 * @module
 */
import type { CheckFinding } from "../check.ts";
import type { FindingLevel } from "../check/finding.ts";
import { counted } from "../fleet/status/words.ts";
import type { Arguments } from "./command.ts";
import type { Style } from "./demo/style.ts";
import { exitCodeOf } from "./exit.ts";
import { configureLogging } from "./logging.ts";
import { printJson } from "./output.ts";
import { type Line, line, span, wrapped } from "./status/lines.ts";
import { Screen } from "./status/screen.ts";

/** Marks at the beginning of a line. */
const MARKS: Readonly<Record<FindingLevel, readonly [mark: string, style: Style]>> = {
  ok: ["✓ ", "green"],
  warning: ["! ", "yellow"],
  error: ["✗ ", "red"],
  unchecked: ["– ", "dim"],
};

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

/** Prints findings line by line. */
class Printer {
  readonly #isQuiet: boolean;
  readonly #counts: Record<FindingLevel, number> = { ok: 0, warning: 0, error: 0, unchecked: 0 };
  /** What was not looked at for the same reason, until something else is found. */
  #unchecked: CheckFinding[] = [];

  /** Prints to standard output; `isQuiet`: only what is doubtful or wrong. */
  constructor({ isQuiet }: { readonly isQuiet: boolean }) {
    this.#isQuiet = isQuiet;
  }

  /** Prints a finding. */
  async print(finding: CheckFinding): Promise<void> {
    const { level, what, advice } = finding, [held] = this.#unchecked;
    this.#counts[level]++;
    if (held && (level !== "unchecked" || advice !== held.advice)) await this.#printUnchecked();
    if (level === "unchecked") this.#unchecked.push(finding);
    else if (level !== "ok" || !this.#isQuiet) await this.#show(level, what, advice);
  }

  /** Prints the sum. */
  async end(): Promise<void> {
    await this.#printUnchecked();
    const { warning, error, unchecked } = this.#counts;
    const counts = [
      ...error > 0 ? [`${error} wrong`] : [],
      ...warning > 0 ? [`${warning} doubtful`] : [],
      ...unchecked > 0 ? [`${counted(unchecked, "check")} not made`] : [],
    ];
    if (this.#isQuiet && error + warning === 0) return;
    const style = error > 0 ? "red" : warning > 0 ? "yellow" : "green";
    await new Screen().show(() => [line(counts.join(", ") || "All is well", style)]);
  }

  async #printUnchecked(): Promise<void> {
    const names = this.#unchecked.map(({ what }) => what).join(", ");
    const [first] = this.#unchecked;
    this.#unchecked = [];
    if (!first || this.#isQuiet) return;
    await this.#show("unchecked", `Not checked, as ${first.advice}: ${names}`);
  }

  #show(level: FindingLevel, what: string, advice?: string): Promise<void> {
    const [mark, style] = MARKS[level];
    return new Screen().show((columns): Line[] => [
      ...wrapped(span(mark, style), what, columns, level === "error" ? "red" : undefined),
      ...advice === undefined ? [] : wrapped(span("  → "), advice, columns, "dim"),
    ]);
  }
}
