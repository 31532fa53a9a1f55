/**
 * The status of the fleet: collects the presences and judges them.
 *
 * @module
 */
import type { BucketLog } from "../../log/bucket_log.ts";
import { collectFleet } from "./collect.ts";
import type { FleetStatus } from "./fleet_status.ts";
import { judge } from "./judge.ts";
import { type AddressCheck, serversOf } from "./servers.ts";

/** Options of {@linkcode readStatus}. */
export interface ReadStatusOptions {
  /** Checks addresses with the secret of this machine. @default it has none */
  readonly checkAddress?: AddressCheck | undefined;
  /** Aborts the call. */
  readonly signal: AbortSignal;
}

/** Reads the status of the fleet. Writes nothing. */
export async function readStatus(
  log: BucketLog,
  { checkAddress, signal }: ReadStatusOptions,
): Promise<FleetStatus> {
  const collected = await collectFleet(log, { signal });
  const servers = serversOf(collected, checkAddress);
  const { url: store, isMissing } = log;
  const problems = judge(servers, { store, isMissing, left: collected.left });
  return { store, time: new Date(collected.now).toISOString(), servers, problems, consumers: [] };
}
