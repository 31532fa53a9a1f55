import type { Chance } from "../chance.ts";
import { type Fault, FAULTS, some } from "../mix.ts";

const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** What happens from outside, by weight. */
const EVENTS = {
  crash: 3,
  stop: 2,
  leave: 1,
  loseState: 1,
  clone: 0.7,
  twin: 0.5,
  join: 2,
  partition: 2,
  outage: 0.7,
  storm: 1.5,
  setClock: 1,
  resubscribe: 2,
  silence: 1,
  blind: 0.7,
  loseChecks: 0.7,
  hang: 1.5,
  reweigh: 0.5,
};

/** What may happen from outside. */
export type FleetHappeningName = keyof typeof EVENTS;

/** What publishers may answer beside 200 and 304, by probability. */
const MOODS = {
  fails: 0.04,
  busy: 0.03,
  moved: 0.02,
  cached: 0.05,
  silent: 0.02,
};

/** What a publisher may answer beside 200 and 304. */
export type Mood = keyof typeof MOODS;

/** What a mix may be focused on. */
export type FleetFocus = FleetHappeningName | "cron" | "large" | "ticking" | "busy";

/** How one server behaves. */
export interface FleetHabits {
  /** `watch` runs in the process; or the application asks alone, for long; or from time to time. */
  readonly mode: "watches" | "alone" | "cron";
  /** Milliseconds between two asks of the application. */
  readonly askEveryMs: number;
  /** How the application tells which content it got. */
  readonly tells: "ifChanged" | "content" | "always";
  readonly weight: number;
}

/** What one seed is made of. */
export interface FleetMix {
  readonly servers: number;
  readonly feeds: number;
  readonly domains: number;
  /** How often each feed is to be fetched, in milliseconds. */
  readonly everyMs: number;
  /** A domain with more feeds is shared by several servers. */
  readonly maxPerDomain: number;
  /** Part of the feeds that each server subscribes to. */
  readonly subscribed: number;
  readonly askEveryMs: number;
  readonly hasCron: boolean;
  /** Hashes are made with a names key, and a server may lack the keys to read what others write. */
  readonly isEncrypted: boolean;
  readonly events: Record<FleetHappeningName, number>;
  /** How many things happen. */
  readonly happenings: number;
  /** Milliseconds between two happenings: those to choose from. */
  readonly gaps: readonly number[];
  /** What may go wrong with requests in a storm. */
  readonly faults: Record<Fault, number>;
  readonly moods: Record<Mood, number>;
  /** Listings show the bucket as it was so many milliseconds ago, at most. */
  readonly lag: number;
  readonly latency: number;
}

/** The weight of what a mix is focused on. */
const FOCUS = 8;

/** Draws the mix of a seed; what the `focus` names happens in it often. */
export function drawFleetMix(chance: Chance, focus: readonly FleetFocus[] = []): FleetMix {
  const isTicking = focus.includes("ticking") || chance.happens(0.3);
  const hasCron = focus.includes("cron") || !isTicking && chance.happens(0.2);
  const askEveryMs = hasCron
    ? 5 * MINUTE
    : isTicking
    ? 30 * SECOND
    : chance.pick([MINUTE, 2 * MINUTE]);
  const everyMs = chance.pick([15, 15, 15, 30]) * MINUTE;
  // Whoever asks so often hands over in time.
  const gapUnit = hasCron ? 4 : 1;
  const isLarge = focus.includes("large") || chance.happens(0.25);
  const happenings = focus.filter((name) => name in EVENTS);
  return {
    servers: chance.pick([2, 2, 3, 3, 4]),
    feeds: chance.whole(5, chance.pick([12, 30])),
    domains: isLarge ? 2 : chance.whole(3, 12),
    everyMs,
    maxPerDomain: isLarge ? 3 : 100,
    subscribed: chance.pick([1, 1, 0.7]),
    askEveryMs,
    hasCron,
    isEncrypted: chance.happens(0.25),
    events: {
      ...some(chance, EVENTS, 0.4),
      stop: EVENTS.stop,
      crash: EVENTS.crash,
      ...Object.fromEntries(happenings.map((name) => [name, FOCUS])),
    },
    happenings: chance.whole(2, 4),
    gaps: (isTicking ? [1, 14, 18, 22] : [1, 4, 15, 25])
      .map((minutes) => minutes * gapUnit * MINUTE),
    faults: some(chance, FAULTS, 0.5),
    moods: { ...some(chance, MOODS, 0.4), ...focus.includes("busy") && { busy: 0.2 } },
    lag: !isTicking && chance.happens(0.15) ? chance.pick([1, 5, 20]) * SECOND : 0,
    latency: isTicking ? 50 : chance.pick([20, 100, 1000]),
  };
}

/** Draws the habits of a server. */
export function drawFleetHabits(
  chance: Chance,
  { askEveryMs, hasCron }: FleetMix,
): FleetHabits {
  const isCron = hasCron && chance.happens(0.4);
  const mode = isCron ? "cron" : chance.pick(["watches", "watches", "watches", "alone"] as const);
  return {
    mode,
    askEveryMs: mode === "cron" ? 15 * MINUTE : askEveryMs,
    tells: chance.pick(["ifChanged", "ifChanged", "ifChanged", "content", "always"]),
    weight: chance.pick([1, 1, 1, 2, 5]),
  };
}

/** Checks the names of what to focus on. */
export function fleetNamesOf(names: readonly string[] = []): FleetFocus[] {
  const known: string[] = [...Object.keys(EVENTS), "cron", "large", "ticking", "busy"];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names as FleetFocus[];
  throw new RangeError(`--focus takes one of ${known.join(", ")}: current value is ${unknown}`);
}
