/**
 * The status of the fleet: collects the presences and judges them.
 *
 * @module
 */
import type { BucketLog } from "../../log/bucket_log.ts";
import { collectFleet } from "./collect.ts";
import type { FleetStatus } from "./fleet_status.ts";
import { judge } from "./judge.ts";
import { type IsOurs, serversOf } from "./servers.ts";

/** Options of {@linkcode readStatus}. */
export interface ReadStatusOptions {
  /** Tells whether an address is signed with the secret of this machine. @default none is here */
  readonly isOurs?: IsOurs | undefined;
  /** Aborts the call. */
  readonly signal: AbortSignal;
}

/** Reads the status of the fleet. Writes nothing. */
export async function readStatus(
  log: BucketLog,
  { isOurs, signal }: ReadStatusOptions,
): Promise<FleetStatus> {
  const collected = await collectFleet(log, { signal });
  const servers = serversOf(collected, isOurs);
  const { url: store, isMissing } = log;
  const problems = judge(servers, { store, isMissing, left: collected.left });
  return { store, time: new Date(collected.now).toISOString(), servers, problems, consumers: [] };
}
