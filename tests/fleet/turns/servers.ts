import { checked } from "../../../lib/checked.ts";
import type { Connection } from "../../../lib/connection.ts";
import { due } from "../../../lib/due.ts";
import type { CheckedFeed, CheckOutcome } from "../../../lib/fleet/turns/outcome.ts";
import type { DueOptions, Turn } from "../../../lib/fleet/turns/turn.ts";
import { Fleet } from "../../fixture.ts";

export const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** Applications on servers around one store, which ask for turns. */
export class Applications implements AsyncDisposable {
  readonly fleet = new Fleet();
  /** Every feed that was fetched: by whom, and when. */
  readonly fetches: { server: string; url: string; time: number }[] = [];

  get now(): number {
    return this.fleet.time.clock.elapsed();
  }

  connect(server: string, config: Parameters<Fleet["server"]>[1] = {}): Connection {
    return this.fleet.server(server, config);
  }

  due(
    connection: Connection,
    urls: readonly (string | URL)[],
    options: Partial<DueOptions> = {},
  ): Promise<Turn[]> {
    return this.fleet.time.run(due(connection, urls, { every: "15m", ...options }));
  }

  checked(connection: Connection, url: string, outcome: CheckOutcome): Promise<CheckedFeed> {
    return this.fleet.time.run(checked(connection, url, outcome));
  }

  /** Asks until nothing is due any more, and fetches everything at once. */
  async round(connection: Connection, urls: readonly string[], every = "15m"): Promise<Turn[]> {
    for (;;) {
      const turns = await this.due(connection, urls, { every });
      const fetched = turns.filter((turn) => turn.due);
      if (fetched.length === 0) return turns;
      for (const { url } of fetched) {
        this.fetches.push({ server: connection.server, url, time: this.now });
        await this.checked(connection, url, { status: 200, headers: { ETag: '"1"' } });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
  }
}

/** Feeds of as many domains. */
export function feedsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `https://site-${index}.com/feed.xml`);
}

/** The reasons of answers; "due" for those that are due. */
export function reasons(turns: readonly Turn[]): string[] {
  return turns.map((turn) => turn.due ? "due" : turn.reason);
}
