/**
 * What a source of wake-ups has to be.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import type { DecodedObject } from "../log/codec.ts";
import type { ObjectName } from "../log/names.ts";

/** A commit with what is in it. */
export interface DeliveredCommit extends DecodedObject {
  /** Its name. */
  readonly name: ObjectName;
}

/** Called for each commit that a source reports, with its content if a peer sent that along. */
export type OnCommit = (name: ObjectName, delivered?: DeliveredCommit) => void;

/** What sources work with. */
export type WakeUpParts = Pick<Core, "log" | "environment">;

/** Starts the sources of one kind that the configuration names. */
export type StartSource = (
  config: ResolvedConfig,
  parts: WakeUpParts,
  onCommit: OnCommit,
) => AsyncDisposable;
