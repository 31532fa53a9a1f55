/**
 * What the handlers of the routes work with.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";
import type { Connection, FeedSync } from "../connection.ts";
import type { Consumers } from "../consumers/consumers.ts";
import type { FleetStatus } from "../fleet/status/fleet_status.ts";
import type { JsonObject } from "../update.ts";
import type { EventHub } from "./events/hub.ts";
import type { ApiMetrics } from "./metrics.ts";
import type { Slots } from "./slots.ts";

/** What the handlers of the routes work with. */
export interface ApiContext {
  /** The connection, for the verbs. */
  readonly sync: FeedSync;
  /** The same connection. */
  readonly connection: Connection;
  /** Describes the API in OpenAPI. */
  readonly describe: () => JsonObject;
  /** Version of feedsync. */
  readonly version: string;
  /** Time. */
  readonly clock: Clock;
  /** Aborted when the server stops: what waits is answered, and streams end. */
  readonly closing: AbortSignal;
  /** Places for requests under way. */
  readonly slots: Slots;
  /** Places for answers that are made while they are read. */
  readonly streams: Slots;
  /** Tells what happens. */
  readonly events: EventHub;
  /** Places for those who read that. */
  readonly eventStreams: Slots;
  /** Dead letters are retried one call at a time. */
  readonly retries: Slots;
  /** The consumers; absent when feedsync is disabled. */
  readonly consumers: Consumers | undefined;
  /** The status of the fleet, not older than a few seconds. */
  readonly status: () => Promise<FleetStatus>;
  /** What `/metrics` tells. */
  readonly metrics: ApiMetrics;
}
