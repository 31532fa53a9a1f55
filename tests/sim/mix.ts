import type { Chance } from "./chance.ts";

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

/** What may go wrong with a request, a plugin's call or a call of the state, by probability. */
export const FAULTS = {
  /** Answered with 429 or 503, or reset, before it had an effect. */
  refused: 0.1,
  /** It has its effect, but the answer is lost. */
  answerLost: 0.1,
  /** Reported as failed; a write or delete takes effect up to a minute later. */
  late: 0.1,
  /** No answer at all, until the store's own timeout; with or without an effect. */
  hang: 0.03,
  /** The body or listing ends in the middle. */
  cut: 0.05,
  /** A GET finds nothing where something is: once, or from then on for seconds or minutes. */
  missed: 0.05,
  /** Credentials are refused for a moment. */
  denied: 0.01,
  /** Some keys of a delete fail, some of those are deleted nevertheless. */
  partialDelete: 0.3,
  /** The process ends before or after a call of its state. */
  fatalStateCall: 0.001,
  /** A plugin throws, before or after it has applied the update. */
  pluginThrows: 0.1,
  /** A plugin takes longer than it may. */
  pluginHangs: 0.02,
  /** A plugin refuses an update for good. */
  pluginRejects: 0.03,
};

/** What programs that are handed updates do, by probability. */
const CONSUMERS = {
  /** It crashes while it processes a line: what it has not acknowledged comes again. */
  crashes: 0.1,
  /** It does not acknowledge what it has processed, this time. */
  losesAcks: 0.4,
  /** It acknowledges again what it acknowledged before. */
  repeatsAcks: 0.2,
  /** It reads on before it acknowledges. */
  readsAhead: 0.3,
  /** It reads anew while it is still waiting. */
  restartsReading: 0.1,
  /** It begins again. */
  forgets: 0.02,
};

/** What happens from outside, by weight. */
const EVENTS = {
  publish: 20,
  publishMany: 5,
  poll: 10,
  cleanup: 2,
  crash: 2,
  powerLoss: 1,
  stop: 1,
  away: 0.3,
  backUp: 2,
  restore: 0.6,
  clone: 0.4,
  newServer: 0.4,
  join: 0.6,
  allAway: 0.1,
  strangeCommit: 1,
  forgeNewest: 0.5,
  cleanUpOnly: 0.5,
  outage: 1,
  pluginDown: 0.5,
  setClock: 0.5,
  loseKey: 0.5,
};

export type Fault = keyof typeof FAULTS;
export type ConsumerFault = keyof typeof CONSUMERS;
export type HappeningName = keyof typeof EVENTS;

/** How one server behaves. */
export interface Habits {
  readonly publishes: boolean;
  readonly watches: boolean;
  /** Milliseconds from poll to poll; `undefined`: it polls when told. */
  readonly poll: number | undefined;
  readonly from: "earliest" | "now";
  readonly includeOwn: boolean;
  readonly commitInterval: number;
  readonly plugins: number;
  /** Number of updates of a stream that its first plugin takes at a time. */
  readonly concurrency: number;
  readonly marker: boolean;
  /** The programs that are handed updates. */
  readonly consumers: readonly ConsumerHabits[];
  /** How far its clock is ahead, in milliseconds. */
  readonly clockError: number;
}

/** How a program is that is handed updates. */
export interface ConsumerHabits {
  readonly from: "newest" | "now";
  readonly own: boolean;
  /** How many lines it reads at most. */
  readonly limit: number;
}

/** What one seed is made of. Each leaves out most faults, so that those that are in it meet. */
export interface Mix {
  readonly servers: number;
  /** Milliseconds until updates expire. */
  readonly retention: number;
  readonly faults: Record<Fault, number>;
  readonly events: Record<HappeningName, number>;
  /** At which steps all go away for longer than the retention: much of the log expires then. */
  readonly absences: readonly number[];
  /** Milliseconds between two happenings: those to choose from. */
  readonly gaps: readonly number[];
  readonly consumers: Record<ConsumerFault, number>;
  /** Most consumers of a server. */
  readonly maxConsumers: number;
  /** Milliseconds from one step of a consumer to the next: those to choose from. */
  readonly consumerGaps: readonly number[];
  /** Maximum size of an inbox in bytes, and age of what is in it. */
  readonly inbox: { readonly maxBytes: number; readonly maxAgeMs: number };
  /** Milliseconds that a request takes at most. */
  latency: number;
  /** Keys on a page of a listing. */
  pageSize: number;
  /** Listings may show the bucket as it was so many milliseconds ago. */
  readonly lag: number;
  /**
   * One of two replicas lacks some objects of others for up to so many milliseconds after they were
   * stored; each request, a listing or a GET, goes to either.
   */
  readonly replicaLag: number;
  /** Listings are in the order of the keys. */
  readonly isSorted: boolean;
  /** How often a server is told of another's commit as soon as it is stored. */
  readonly wakeUps: number;
  /** How many servers use the marker, of all. */
  readonly marker: number;
  /** Characters of most contents. */
  readonly contentSize: number;
  readonly urls: number;
  readonly poll: number;
}

/** Large contents, of which few fill a segment; listings that lag; GETs that find nothing. */
const TRAITS = ["largeContents", "lag", "missed", "consumers", "smallInbox"] as const;

/** What a mix may be focused on. */
export type Focus = HappeningName | typeof TRAITS[number];

/** The weight of what a mix is focused on. */
const FOCUS = 4;

/** Draws the mix of a seed; what the `focus` names happens in it often. */
export function drawMix(chance: Chance, focus: readonly Focus[] = []): Mix {
  const retention = chance.pick([10 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 24 * HOUR]);
  const faulty = chance.pick([0, 1, 1, 1]);
  const slow = chance.happens(0.5);
  const happenings = focus.filter((name) => !isTrait(name));
  return {
    servers: chance.whole(2, 4),
    retention,
    faults: {
      ...some(chance, FAULTS, 0.35 * faulty),
      ...focus.includes("missed") && { missed: FAULTS.missed },
    },
    events: {
      ...some(chance, EVENTS, 0.5),
      publish: EVENTS.publish,
      poll: EVENTS.poll,
      ...Object.fromEntries(happenings.map((name) => [name, FOCUS])),
    },
    absences: drawAbsences(chance, focus.includes("allAway")),
    gaps: slow
      ? [0, 100, 2 * SECOND, 20 * SECOND, retention / 20, retention / 8]
      : [0, 0, 50, 200, SECOND, 5 * SECOND],
    ...drawConsumers(chance, { retention, focus, faulty, slow }),
    latency: chance.pick([20, 100, 1000]),
    pageSize: chance.pick([2, 5, 1000]),
    lag: chance.happens(0.1) || focus.includes("lag") ? SECOND : 0,
    replicaLag: chance.happens(0.15) ? chance.pick([5, 20, 50]) * SECOND : 0,
    isSorted: !chance.happens(0.15),
    wakeUps: chance.pick([0, 0, 0.3, 0.9]),
    marker: chance.pick([0, 0, 0.5, 1]),
    contentSize: chance.happens(0.1) || focus.includes("largeContents") ? 40_000 : 10,
    urls: chance.pick([2, 10]),
    poll: slow ? retention / chance.pick([5, 20]) : chance.pick([SECOND, 10 * SECOND]),
  };
}

function drawConsumers(
  chance: Chance,
  { retention, focus, faulty, slow }: {
    readonly retention: number;
    readonly focus: readonly Focus[];
    readonly faulty: number;
    readonly slow: boolean;
  },
): Pick<Mix, "consumers" | "maxConsumers" | "consumerGaps" | "inbox"> {
  const isSmall = chance.happens(0.3) || focus.includes("smallInbox");
  return {
    consumers: some(chance, CONSUMERS, focus.includes("consumers") ? 1 : 0.5 * faulty),
    maxConsumers: focus.includes("consumers") ? 2 : chance.pick([0, 1, 2]),
    consumerGaps: slow
      ? [2 * SECOND, MINUTE, retention / 10, retention / 2]
      : [200, SECOND, 10 * SECOND],
    inbox: {
      maxBytes: isSmall ? chance.pick([1000, 3000, 10_000]) : 1e9,
      maxAgeMs: chance.pick([4 * retention, 30 * 24 * HOUR]),
    },
  };
}

function drawAbsences(chance: Chance, isFocus: boolean): number[] {
  const times = isFocus ? 2 : chance.pick([0, 0, 1, 2]);
  return Array.from({ length: times }, () => chance.whole(60, 400)).sort((a, b) => b - a);
}

/** Checks the names of what to focus on. */
export function namesOf(names: readonly string[] = []): Focus[] {
  const known: string[] = [...Object.keys(EVENTS), ...TRAITS];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names as Focus[];
  throw new RangeError(`--focus takes one of ${known.join(", ")}: current value is ${unknown}`);
}

function isTrait(name: Focus): boolean {
  return (TRAITS as readonly string[]).includes(name);
}

/** Draws the habits of a server. */
export function drawHabits(chance: Chance, mix: Mix): Habits {
  const role = chance.pick(["both", "both", "both", "publishes", "watches"]);
  return {
    publishes: role !== "watches",
    watches: role !== "publishes",
    poll: chance.happens(0.5) ? mix.poll : undefined,
    from: chance.happens(0.15) ? "now" : "earliest",
    includeOwn: chance.happens(0.15),
    commitInterval: chance.happens(0.15) ? SECOND : 0,
    plugins: chance.happens(0.2) ? 2 : 1,
    concurrency: chance.happens(0.3) ? chance.pick([2, 5]) : 1,
    marker: chance.happens(mix.marker),
    consumers: Array.from({ length: chance.whole(0, mix.maxConsumers) }, () => ({
      from: chance.pick(["newest", "now"]),
      own: chance.happens(0.3),
      limit: chance.pick([1, 5, 100]),
    })),
    clockError: chance.happens(0.2) ? chance.pick([-1, 1]) * chance.between(0, 2 * HOUR) : 0,
  };
}

/** A few of the probabilities, each at its full value or at a part of it; the others are 0. */
export function some<Name extends string>(
  chance: Chance,
  most: Readonly<Record<Name, number>>,
  share: number,
): Record<Name, number> {
  const drawn: Partial<Record<Name, number>> = {};
  for (const name of Object.keys(most) as Name[]) {
    drawn[name] = chance.happens(share) ? most[name] * chance.pick([0.1, 0.3, 1]) : 0;
  }
  return drawn as Record<Name, number>;
}
