/**
 * The interface of a source of wake-ups.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import type { DecodedObject } from "../log/codec.ts";
import type { ObjectName } from "../log/names.ts";

/** A commit with its content. */
export interface DeliveredCommit extends DecodedObject {
  /** Name of the commit. */
  readonly name: ObjectName;
}

/** Called for each commit that a source reports, with its content if a peer sent that along. */
export type OnCommit = (name: ObjectName, delivered?: DeliveredCommit) => void;

/** Dependencies of sources. */
export type WakeUpParts = Pick<Core, "log" | "environment">;

/** Starts the sources of one kind that the configuration names. */
export type StartSource = (
  config: ResolvedConfig,
  parts: WakeUpParts,
  onCommit: OnCommit,
) => AsyncDisposable;
