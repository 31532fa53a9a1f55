/**
 * Publishing for requests: how long they wait, and what they are answered.
 *
 * @module
 */
import { publishOrQueue, type QueuedReceipt } from "../publish_or_queue.ts";
import type { Receipt } from "../publish.ts";
import type { ApiContext } from "./context.ts";
import type { ApiRequest } from "./request.ts";
import type { GivenUpdates } from "./update_bodies.ts";

/** Nobody waits longer, whatever is asked for. */
const MAX_WAIT_S = 300;

/** What became of updates. */
export interface Published {
  /** In the order of the updates. */
  readonly receipts: readonly (Receipt | QueuedReceipt)[];
  /** The status of the answer. */
  readonly status: 200 | 201 | 202;
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Publishes updates, and waits for the store as long as the request wants. */
export async function publishFor(
  request: ApiRequest,
  { updates, placeOf }: Omit<GivenUpdates, "form">,
  { context, ifChanged }: { readonly context: ApiContext; readonly ifChanged: boolean },
): Promise<Published> {
  const waitS = preferredWait(request.headers);
  const receipts = await publishOrQueue(context.sync, updates, {
    ifChanged,
    placeOf,
    waitMs: waitS === undefined ? undefined : waitS * 1000,
    stopWaiting: context.closing,
  });
  for (const [status, { length }] of Map.groupBy(receipts, ({ status }) => status)) {
    context.metrics.received(status, length);
  }
  const applied = waitS !== undefined && { "Preference-Applied": `wait=${waitS}` };
  return { receipts, status: statusOf(receipts), headers: { ...applied } };
}

/** 202 while anything is not stored; 201 when something is; 200 when nothing had to be. */
function statusOf(receipts: Published["receipts"]): Published["status"] {
  if (receipts.some(({ status }) => status === "queued")) return 202;
  return receipts.some(({ status }) => status === "published") ? 201 : 200;
}

/** Seconds in `Prefer: wait=N` (RFC 7240). */
function preferredWait(headers: Headers): number | undefined {
  const [, seconds] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec(headers.get("prefer") ?? "") ??
    [];
  return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT_S);
}
