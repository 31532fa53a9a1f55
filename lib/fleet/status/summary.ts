/**
 * The status of a fleet in one sentence.
 *
 * @module
 */
import type { FleetStatus } from "./fleet_status.ts";
import { counted, listed } from "./words.ts";

/** The status in one sentence. */
export function summaryOf(
  { servers, problems }: Pick<FleetStatus, "servers" | "problems">,
): string {
  const urgent = problems.filter(({ severity }) => severity === "problem");
  if (urgent.length === 0) {
    const names = new Set(servers.map(({ server }) => server));
    const notes = problems.length === 0 ? "" : `, ${counted(problems.length, "note")}`;
    return `All is well: ${counted(names.size, "server")}${notes}`;
  }
  const told = urgent.map(({ kind, servers }) =>
    servers.length === 0 ? wordsOf(kind) : `${wordsOf(kind)} (${listed(servers)})`
  );
  return `${counted(urgent.length, "problem")}: ${listed(told)}`;
}

function wordsOf(kind: string): string {
  return kind.replaceAll("-", " ");
}
