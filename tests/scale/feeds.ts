import type { CheckOutcome } from "../../lib/fleet/turns/outcome.ts";
import type { Chance } from "../sim/chance.ts";

/** Of the feeds, so many as there are domains, in the largest domain, and in the lists of half of the servers. */
const DOMAINS = 0.3, LARGEST_DOMAIN = 0.15, SHARED_BY_HALF = 0.02;

/** How often each feed is to be fetched. */
export const EVERY = "15m", EVERY_MS = 15 * 60 * 1000;

/** So many domains of a hundred fail time and again, and so many feeds ask for longer intervals. */
const TROUBLED_PERCENT = 2, PATIENT_PERCENT = 10;

/** A request without an answer takes so long. */
const TIMEOUT_MS = 30_000;

/** How long an answer takes: the largest domain is on a fast host. */
const ANSWER_MS = { least: 100, most: 3_000 }, FAST_ANSWER_MS = { least: 80, most: 200 };

/** What an ordinary feed says. */
const NEWS: CheckOutcome = { status: 200, headers: { etag: '"1"' }, content: "news" };
const UNCHANGED: CheckOutcome = { status: 304, headers: { etag: '"1"' } };

/** A feed, and how its publisher behaves. */
export interface SimFeed {
  readonly index: number;
  readonly url: string;
  readonly kind:
    /** Answers, and may be fetched whenever the interval is over. */
    | "ordinary"
    /** Says that its answers stay fresh for longer. */
    | "patient"
    /** Fails time and again, or is busy: not part of the statistics. */
    | "troubled";
  readonly isFast: boolean;
  /** For how long the answers of a patient one stay fresh. */
  readonly maxAgeMs: number;
}

/** What came of a request. */
export interface Answer {
  readonly tookMs: number;
  readonly outcome: CheckOutcome;
}

/** Makes the feeds: most domains have few. The last ones are {@linkcode missingInHalf}. */
export function makeFeeds(count: number, chance: Chance): SimFeed[] {
  const others = Math.round(DOMAINS * count) - 1, inLargest = Math.round(LARGEST_DOMAIN * count);
  const domains = Array.from({ length: others }, (_, domain) => domain + 1);
  while (domains.length < count - inLargest) {
    domains.push(1 + Math.floor(others * chance.fraction() ** 1.5));
  }
  const all = [...domains, ...new Array<number>(inLargest).fill(0)];
  const order = all.map((domain) => ({ domain, place: chance.fraction() }))
    .sort((a, b) => a.place - b.place);
  return order.map(({ domain }, index) => feedIn(domain, index, chance));
}

/** Number of feeds that half of the servers lack. */
export function missingInHalf(count: number): number {
  return Math.round(SHARED_BY_HALF * count);
}

/** What the publisher of a feed answers. */
export function answerOf(
  feed: SimFeed,
  { isConditional, chance }: { readonly isConditional: boolean; readonly chance: Chance },
): Answer {
  const { least, most } = feed.isFast ? FAST_ANSWER_MS : ANSWER_MS;
  const tookMs = least * (most / least) ** chance.fraction();
  if (feed.kind === "troubled" && chance.happens(0.5)) return troubledAnswer(tookMs, chance);
  const outcome = isConditional ? UNCHANGED : NEWS;
  if (feed.kind !== "patient") return { tookMs, outcome };
  const headers = { etag: '"1"', "cache-control": `max-age=${feed.maxAgeMs / 1000}` };
  return { tookMs, outcome: { ...outcome, headers } };
}

function feedIn(domain: number, index: number, chance: Chance): SimFeed {
  const isTroubled = domain > 0 && domain % 100 < TROUBLED_PERCENT;
  const isPatient = chance.happens(PATIENT_PERCENT / 100);
  return {
    index,
    url: `https://www.site-${domain}.com/feeds/${index}.xml`,
    kind: isTroubled ? "troubled" : isPatient ? "patient" : "ordinary",
    isFast: domain === 0,
    maxAgeMs: chance.whole(2, 8) * EVERY_MS,
  };
}

function troubledAnswer(tookMs: number, chance: Chance): Answer {
  const what = chance.pick(["busy", "down", "silent"] as const);
  if (what === "silent") return { tookMs: TIMEOUT_MS, outcome: { error: "timed out" } };
  if (what === "down") return { tookMs, outcome: { status: 503 } };
  const headers = { "retry-after": String(chance.whole(600, 7200)) };
  return { tookMs, outcome: { status: 429, headers, scope: "host" } };
}
