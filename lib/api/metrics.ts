/**
 * What `/metrics` tells. Labels are bounded: no URLs, and no names that others choose.
 *
 * @module
 */
import type { Connection, Parts } from "../connection.ts";
import type { Consumers } from "../consumers/consumers.ts";
import { Counter, exposition, Histogram, type Labels, type Metric } from "./exposition.ts";
import { behindSeconds, queuedSeconds } from "./own_lag.ts";

/** Where the numbers come from. */
export interface MetricsSources {
  /** The connection. */
  readonly connection: Connection;
  /** The consumers; absent when feedsync is disabled. */
  readonly consumers: Consumers | undefined;
  /** Version of feedsync. */
  readonly version: string;
}

/** A request that was answered. */
export interface AnsweredRequest {
  /** The path of its route, with parameters in braces. */
  readonly route: string;
  /** The method. */
  readonly method: string;
  /** The status. */
  readonly status: number;
  /** How long it took. */
  readonly seconds: number;
}

const BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** The metrics of a server. */
export class ApiMetrics {
  readonly #requests = new Counter({
    name: "feedsync_api_requests_total",
    help: "Requests to the local API",
  });
  readonly #durations = new Histogram({
    name: "feedsync_api_request_duration_seconds",
    help: "Duration of requests to the local API, waiting included",
    bounds: BOUNDS,
  });
  readonly #updates = new Counter({
    name: "feedsync_api_updates_total",
    help: "Updates given to the local API, by what became of them",
  });
  readonly #metrics: readonly Metric[];

  /** Nothing is counted yet. */
  constructor(sources: MetricsSources) {
    const own = [this.#requests, this.#durations, this.#updates];
    this.#metrics = [...own, ...readMetrics(sources)];
  }

  /** Counts a request. */
  answered({ route, method, status, seconds }: AnsweredRequest): void {
    this.#requests.add({ route, method, status });
    this.#durations.observe({ route }, seconds);
  }

  /** Counts updates. */
  received(status: string, updates: number): void {
    this.#updates.add({ status }, updates);
  }

  /** The numbers as they are now. */
  text(): string {
    return exposition(this.#metrics);
  }
}

/** What is read when it is asked for. */
function readMetrics({ connection, consumers, version }: MetricsSources): Metric[] {
  const { parts } = connection;
  const info = metric("gauge", "info", "Version of feedsync", () => [[{ version }, 1]]);
  if (!parts) return [info];
  return [
    info,
    ...stateMetrics(connection, parts),
    metric(
      "counter",
      "store_requests_total",
      "Requests to the store",
      () => Object.entries(connection.requests).map(([operation, n]) => [{ operation }, n]),
    ),
    metric(
      "counter",
      "wake_ups_total",
      "Commits that were to be sent to peers",
      () => Object.entries(connection.wakeUps).map(([result, n]) => [{ result }, n]),
    ),
    ...consumers ? consumerMetrics(consumers) : [],
  ];
}

function stateMetrics(connection: Connection, parts: Parts): Metric[] {
  const { state } = parts;
  return [
    gauge("queued_updates", "Updates that wait for their upload", () => state.queued()),
    gauge(
      "queued_seconds",
      "For how long the oldest of them has waited",
      () => queuedSeconds(parts),
    ),
    gauge("dead_letters", "Updates that a plugin could not apply", () => state.deadLetters.count()),
    gauge("feeds", "Feeds that this server knows", () => state.newest.count()),
    gauge(
      "behind_seconds",
      "For how long there has been something left to read",
      () => behindSeconds(connection, parts),
    ),
  ];
}

function consumerMetrics(consumers: Consumers): Metric[] {
  const furthest = (key: "behindUpdates" | "behindSeconds") =>
    consumers.list().reduce((most, consumer) => Math.max(most, consumer[key]), 0);
  return [
    gauge("consumers", "Consumers of the local API", () => consumers.list().length),
    gauge(
      "consumers_behind_updates",
      "Updates that the slowest consumer has not acknowledged",
      () => furthest("behindUpdates"),
    ),
    gauge(
      "consumers_behind_seconds",
      "How long the oldest of them has waited",
      () => furthest("behindSeconds"),
    ),
  ];
}

/** A number that may be unknown. */
function gauge(name: string, help: string, read: () => number | undefined): Metric {
  return metric("gauge", name, help, () => {
    const value = read();
    return value === undefined ? [] : [[{}, value]];
  });
}

function metric(
  type: "counter" | "gauge",
  name: string,
  help: string,
  read: () => [Labels, number][],
): Metric {
  return {
    ...{ type, name: `feedsync_${name}`, help },
    *samples() {
      for (const [labels, value] of read()) yield ["", labels, value];
    },
  };
}
