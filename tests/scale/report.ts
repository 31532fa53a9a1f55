import { dollars, type Fleet, MONTH_HOURS, requestsIn } from "../../lib/cli/cost/model.ts";
import { PRICES } from "../../lib/cli/cost/prices.ts";
import { percentile } from "../bench/measure.ts";
import { EVERY_MS } from "./feeds.ts";
import { EARLY, LATE_MS } from "./ledger.ts";
import type { Propagation } from "./measure_propagation.ts";
import type { World } from "./world.ts";

const MINUTE_MS = 60_000, DAY_MS = 24 * 60 * MINUTE_MS;

/** Updates of each feed, for the cost. */
const UPDATES_PER_DAY = 2;

/** What must hold: beside the number it says so, or NOT. */
interface Bound {
  readonly text: string;
  readonly holds: boolean;
}

/** What a run has shown. */
export interface Findings {
  readonly world: World;
  readonly servers: number;
  readonly feeds: number;
  readonly hours: number;
  readonly cpuSeconds: number;
  /** Milliseconds of a call of `due` for all feeds. */
  readonly dueMs: { readonly warm: number; readonly cold: number };
  /** How updates spread where servers poll every ten seconds. */
  readonly polling: Propagation;
  /** How they do where publishers send them to the others, too. */
  readonly sending: Propagation;
}

/** The lines that tell them. */
export function* linesOf(findings: Findings): Iterable<string> {
  const { world, servers, feeds, hours, cpuSeconds, dueMs, polling, sending } = findings;
  const { ledger, fates, pauseMs, timeline, serverMinutes } = world;
  const { crashes, joins, stops, cutOffs } = fates;
  yield "";
  yield `${servers} servers, ${feeds} feeds every 15 minutes, ${hours} hours; idle applications ask at most`;
  yield `every ${
    pauseMs / 1000
  } s; ${crashes} crashed, ${joins} joined, ${stops} stopped for minutes, ${cutOffs} were cut off`;
  const intervals = (timeline.now - ledger.from) / EVERY_MS;
  const perInterval = ledger.fetches / ledger.counted / intervals;
  yield row(
    "fetches per feed and interval",
    perInterval.toFixed(3),
    limit("≤ 1.01", perInterval <= 1.01),
  );
  const early = ledger.earlyFetches / ledger.fetches;
  const causes = [...ledger.early].map(([cause, count]) => `${cause} ${count}`).join(", ");
  yield row(
    `early: within ${EARLY} of the interval`,
    percent(early),
    limit("≤ 0.1 %", early <= 0.001),
    causes,
  );
  yield row(
    `late by more than ${LATE_MS / MINUTE_MS} minutes`,
    percent(ledger.late / ledger.fetches),
    undefined,
    `worst ${minutes(ledger.worstLateMs)}`,
  );
  yield row(
    "feeds of a crashed server, fetched again after",
    minutes(ledger.worstTakeoverMs),
    limit("≤ 19 min", ledger.worstTakeoverMs <= EVERY_MS + LATE_MS),
    `${ledger.takeovers} feeds; by who asks every 15 minutes ${
      minutes(ledger.worstRareTakeoverMs)
    }`,
  );
  const perMinute = (kind: string) => (world.requests.get(kind) ?? 0) / serverMinutes;
  const presence = [
    perMinute("PUT present/"),
    perMinute("LIST present/") / Math.ceil(servers / 1000),
  ];
  yield row(
    "presence, per server and minute",
    `${presence[0].toFixed(2)} PUT, ${presence[1].toFixed(2)} LIST`,
    limit("≤ 1.1 each", presence.every((count) => count <= 1.1)),
  );
  const checks = ["PUT checks/", "GET checks/", "PUT lists/", "GET lists/"].map((kind) =>
    `${(5 * perMinute(kind)).toFixed(2)} ${kind}`
  );
  yield row("beside it, per server and five minutes", checks.join(", "));
  yield row(
    "due for all feeds, first call of a process",
    `${dueMs.cold.toFixed(0)} ms`,
    limit("≤ 50 ms", dueMs.cold <= 50),
  );
  yield row(
    "due for all feeds, later",
    `${dueMs.warm.toFixed(1)} ms`,
    limit("≤ 50 ms", dueMs.warm <= 50),
  );
  yield row("published until applied, polls every 10 s", delays(polling));
  yield row("published until applied, sent by peers", delays(sending));
  const { lists, gets } = polling.status;
  yield row(
    "status of all servers",
    `${lists} LIST, ${gets} GET`,
    limit(`≤ 1 and ${servers}`, lists <= Math.ceil(servers / 1000) && gets <= servers),
  );
  yield row(
    "US$ a month on AWS, by the model of cost",
    `${bill(findings, false)} with polls, ${bill(findings, true)} with peers`,
  );
  yield row(
    "CPU of the run",
    `${cpuSeconds.toFixed(0)} s`,
    undefined,
    `${world.asks} asks, ${timeline.steps} events`,
  );
}

function delays({ delaysMs }: Propagation): string {
  const [median, p99] = [50, 99].map((percent) => `${percentile(percent, delaysMs).toFixed(0)} ms`);
  return `median ${median}, 99 % ${p99}`;
}

function bill({ servers, feeds }: Findings, peers: boolean): string {
  const updatesPerHour = feeds * UPDATES_PER_DAY / 24;
  const fleet: Fleet = {
    ...{ servers, peers, updatesPerHour, feeds, turns: true },
    ...{ poll: peers ? 5 * MINUTE_MS : 10_000, presence: 5 * MINUTE_MS, findsPeers: peers },
    retention: 7 * DAY_MS,
  };
  return dollars(requestsIn(MONTH_HOURS, fleet), PRICES.aws).toFixed(0);
}

function row(what: string, value: string, bound?: Bound, more = ""): string {
  const verdict = bound ? `${bound.text}: ${bound.holds ? "ok" : "NOT"}` : "";
  return `  ${what.padEnd(46)} ${value.padEnd(12)} ${[verdict, more].filter(Boolean).join("; ")}`
    .trimEnd();
}

function limit(text: string, holds: boolean): Bound {
  return { text, holds };
}

function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}

function minutes(ms: number): string {
  return `${(ms / MINUTE_MS).toFixed(1)} min`;
}
