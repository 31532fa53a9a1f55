import type { StoreHost } from "./store_view.ts";

/** What becomes of a request. */
export type Fate = "done" | "refused" | "answerLost" | "late" | "hang" | "denied";

/** Draws what becomes of a request. */
export function fateOf(
  kind: "read" | "write",
  { chance, mix: { faults }, reachable }: Pick<StoreHost, "chance" | "mix" | "reachable">,
): Fate {
  if (!reachable()) return chance.happens(0.2) ? "hang" : "refused";
  if (chance.happens(faults.refused)) return "refused";
  if (chance.happens(faults.hang)) return "hang";
  if (chance.happens(faults.denied)) return "denied";
  if (kind === "read") return "done";
  if (chance.happens(faults.answerLost)) return "answerLost";
  return chance.happens(faults.late) ? "late" : "done";
}
