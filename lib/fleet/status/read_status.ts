/**
 * The status of the fleet: collects the presences and judges them.
 *
 * @module
 */
import type { BucketLog } from "../../log/bucket_log.ts";
import { type AddressVerdict, checkAddress } from "../advertise.ts";
import type { OwnReport } from "../member.ts";
import { type CollectedFleet, collectFleet } from "./collect.ts";
import type { ConsumerStatus, FleetStatus, ServerAddress, ServerStatus } from "./fleet_status.ts";
import { judge } from "./judge.ts";
import { type AddressCheck, serversOf } from "./servers.ts";

/** What the peers' verdicts are called here. */
const VERDICTS: Readonly<Record<AddressVerdict, ServerAddress["verdict"]>> = {
  none: "unchecked",
  valid: "valid",
  "wrong signature": "wrong-secret",
  "invalid origin": "invalid-origin",
  expired: "expired",
};

/** Options of {@linkcode readStatus}. */
export interface ReadStatusOptions {
  /** The secret shared by all peers. @default addresses are not checked */
  readonly secret?: string | undefined;
  /** What this server says now: newer than what it has written. @default it does not run here */
  readonly own?: OwnReport | undefined;
  /** Aborts the call. */
  readonly signal: AbortSignal;
}

/** Reads the status of the fleet. Writes nothing. */
export async function readStatus(
  log: BucketLog,
  { secret, own, signal }: ReadStatusOptions,
): Promise<FleetStatus> {
  const collected = withOwn(await collectFleet(log, { signal }), own);
  const { url: store } = log;
  const check = secret === undefined ? undefined : checkWith(secret, store);
  const servers = serversOf(collected, check);
  const problems = judge(servers, { store, left: collected.left });
  const consumers = consumersOf(collected, servers);
  return { store, time: new Date(collected.now).toISOString(), servers, problems, consumers };
}

/** The fleet, with what this server says now; its address was signed for what it has written. */
function withOwn(fleet: CollectedFleet, own: OwnReport | undefined): CollectedFleet {
  const presences = fleet.presences.map((presence) => {
    const { name: { key }, stored } = presence;
    if (!own || key !== own.key || !stored) return presence;
    const report = { ...own.report, advertise: stored.report.advertise };
    return { ...presence, stored: { ...stored, report } };
  });
  return { ...fleet, presences };
}

/** The consumers of running servers. */
function consumersOf(
  { presences }: CollectedFleet,
  servers: readonly ServerStatus[],
): ConsumerStatus[] {
  const running = new Set(
    servers.filter(({ state }) => state === "running").map(({ writer }) => writer),
  );
  const key = ({ server, name }: ConsumerStatus) => `${server} ${name}`;
  return presences.filter(({ name }) => running.has(name.writer))
    .flatMap(({ name: { server }, stored }) =>
      (stored?.report.consumers ?? []).map((consumer) => ({ server, ...consumer }))
    ).sort((a, b) => key(a) < key(b) ? -1 : 1);
}

/** Checks addresses of presences in the store as peers do. */
export function checkWith(secret: string, store: string): AddressCheck {
  return (name, address) => {
    const writtenAt = name.lastModified ?? Date.parse(address.time);
    return VERDICTS[checkAddress(name, address, { secret, store, writtenAt })];
  };
}
