/**
 * The interface of a source of wake-ups.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import type { DecodedObject } from "../log/codec.ts";
import type { PresenceName } from "../log/fleet/names.ts";
import type { ObjectName } from "../log/names.ts";

/** A commit with its content. */
export interface DeliveredCommit extends DecodedObject {
  /** Name of the commit. */
  readonly name: ObjectName;
}

/** Called for each commit that a source reports, with its content if a peer sent that along. */
export type OnCommit = (name: ObjectName, delivered?: DeliveredCommit) => void;

/** Called for each presence that a peer sends of itself, with its bytes as they are stored. */
export type OnPresence = (name: PresenceName, stored: Uint8Array) => Promise<void>;

/** Dependencies of sources. */
export interface WakeUpParts extends Pick<Core, "log" | "environment"> {
  /** Takes the greetings of peers. @default they are not received */
  readonly onPresence?: OnPresence | undefined;
}

/** Starts the sources of one kind that the configuration names. */
export type StartSource = (
  config: ResolvedConfig,
  parts: WakeUpParts,
  onCommit: OnCommit,
) => AsyncDisposable;
