/**
 * Judges the servers: what needs a person, and what is only worth knowing.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import type { Problem, ServerReport, ServerStatus } from "./fleet_status.ts";
import { findingsAbout } from "./server_problems.ts";
import { counted, listed, quoted } from "./words.ts";

/** What is known besides the servers. */
export interface JudgeOptions {
  /** URL of the store. */
  readonly store: string;
  /** Number of presences that were not read, since there are too many. */
  readonly left: number;
}

/** A running server that has said how it is. */
type ReadServer = ServerStatus & { readonly report: ServerReport };

/** Maximum number of problems of one kind; anybody who writes to the bucket can make many. */
const MAX_OF_KIND = 20;

/** Finds all problems, those that need a person first. */
export function judge(servers: readonly ServerStatus[], options: JudgeOptions): Problem[] {
  const running = servers.filter(({ state }) => state === "running");
  const read = running.filter((server): server is ReadServer => server.report !== null);
  const all = [
    ...aboutServers(servers),
    ...aboutNames(read),
    ...aboutDifferences(read),
    ...aboutOthers(servers, options),
  ];
  const some = [...Map.groupBy(all, ({ kind }) => kind).values()].flatMap(bounded);
  return some.sort((a, b) => rank(a) - rank(b));
}

function rank({ severity }: Problem): number {
  return severity === "problem" ? 0 : 1;
}

/** The most urgent problems of a kind; the others are one. */
function bounded(problems: readonly Problem[]): Problem[] {
  const sorted = problems.toSorted((a, b) => rank(a) - rank(b));
  const left = sorted.slice(MAX_OF_KIND);
  const more = left.slice(0, 1).map((problem) => ({
    ...problem,
    servers: [...new Set(left.flatMap(({ servers }) => servers))],
    message: `and ${left.length} more like this`,
  }));
  return [...sorted.slice(0, MAX_OF_KIND), ...more];
}

/** What is wrong with single servers; what is the same with several is told once. */
function aboutServers(servers: readonly ServerStatus[]): Problem[] {
  const found = servers.flatMap((server) =>
    findingsAbout(server).map((finding) => ({ server: server.server, ...finding }))
  );
  const groups = Map.groupBy(found, ({ kind, severity, what }) => `${kind} ${severity} ${what}`);
  return [...groups.values()].map((group) => {
    const [{ kind, severity, what, advice }] = group;
    const names = [...new Set(group.map(({ server }) => server))];
    return { kind, severity, servers: names, message: `${listed(names)}: ${what}`, advice };
  });
}

/** Servers that share a name: former runs are left out already, so all of these go on. */
function aboutNames(read: readonly ReadServer[]): Problem[] {
  const dated = read.filter(({ seen }) => seen !== null);
  return [...Map.groupBy(dated, ({ server }) => server)].flatMap(([name, sharing]) => {
    const streams = new Set(sharing.map(({ stream }) => stream));
    const problems: Problem[] = [];
    const base = { severity: "problem", servers: [name] } as const;
    if (streams.size < sharing.length) {
      const message = `${name}: ${sharing.length - streams.size + 1} processes write with copies ` +
        "of one state; the machine was probably cloned";
      const advice = "Stop feedsync on the copy, remove its state, and set 'server' there to " +
        "another name";
      problems.push({ ...base, kind: "cloned", message, advice });
    }
    if (streams.size > 1) {
      const message = `${name}: ${streams.size} servers have this name, with the streams ` +
        listed([...streams]);
      const advice = "Set 'server' to another name on all of them but one";
      problems.push({ ...base, kind: "same-name", message, advice });
    }
    return problems;
  });
}

/** What should be the same on all servers, or is worth knowing if it is not. */
function aboutDifferences(read: readonly ReadServer[]): Problem[] {
  const kept = ({ report: { retentionSeconds } }: ReadServer) =>
    retentionSeconds === null ? "for ever" : formatDuration(retentionSeconds * 1000);
  const inTurns = read.filter(({ list }) => list !== null);
  const differing: (Problem | undefined)[] = [
    difference(read, kept, {
      ...{ kind: "retention", severity: "problem", what: "Retentions" },
      advice: "Set the same 'retention' everywhere: the shortest one decides for all servers",
    }),
    difference(read, ({ report }) => quoted(report.version), {
      ...{ kind: "versions", severity: "note", what: "Versions" },
      advice: "Fine while servers are upgraded one by one",
    }),
    difference(read, ({ report: { formats } }) => `${formats.reader}/${formats.written}`, {
      ...{ kind: "formats", severity: "note", what: "Formats (reader/written)" },
      advice: "Upgrade the servers that read less than others write",
    }),
    difference(inTurns, ({ list }) => list!.slice(0, 8), {
      ...{ kind: "lists", severity: "note", what: "Lists of feeds" },
      advice: "Fine if the applications ask for different feeds; each is fetched by those that " +
        "have it in their lists",
    }),
    difference(
      read.filter(({ report }) => report.turns),
      ({ report }) => quoted(report.turns!.suffixes),
      {
        ...{ kind: "suffixes", severity: "note", what: "Lists of public suffixes" },
        advice: "The older one is used until all servers are upgraded",
      },
    ),
  ];
  return differing.filter((problem) => problem !== undefined);
}

function difference(
  servers: readonly ReadServer[],
  valueOf: (server: ReadServer) => string,
  { what, ...problem }: Pick<Problem, "kind" | "severity" | "advice"> & { readonly what: string },
): Problem | undefined {
  const groups = [...Map.groupBy(servers, valueOf)].map(([value, group]) =>
    [value, [...new Set(group.map(({ server }) => server))]] as const
  );
  if (groups.length < 2) return undefined;
  const names = [...new Set(groups.flatMap(([, names]) => names))];
  const values = groups.slice(0, MAX_OF_KIND).map(([value, names]) =>
    `${value} (${listed(names)})`
  );
  return { ...problem, servers: names, message: `${what} differ: ${values.join("; ")}` };
}

/** Whether everybody is there who should be. */
function aboutOthers(
  servers: readonly ServerStatus[],
  { store, left }: JudgeOptions,
): Problem[] {
  const names = new Set(servers.map(({ server }) => server));
  const problems: Problem[] = [];
  if (names.size === 0) {
    const message = `No server is seen in ${store}`;
    const advice = "Start `feedsync watch` on the servers. If it runs: does it use this store?";
    problems.push({ kind: "nobody", severity: "problem", servers: [], message, advice });
  }
  const silent = silentPublishers(servers, names);
  if (silent.length > 0) {
    const message = `${listed(silent)}: known to have published, but not seen`;
    const advice = "They run an older version or no `feedsync watch`, or they are retired";
    problems.push({ kind: "silent", severity: "note", servers: silent, message, advice });
  } else if (names.size === 1) {
    const message = `${[...names][0]}: no other server is seen in ${store}`;
    const advice = "If there should be others: does everybody use the same bucket and prefix?";
    problems.push({ kind: "alone", severity: "note", servers: [...names], message, advice });
  }
  if (left > 0) {
    const message = `${counted(left, "more presence")} not read: only the newest 1,000 are`;
    const advice = "Look who writes to present/ in the bucket";
    problems.push({ kind: "too-many", severity: "note", servers: [], message, advice });
  }
  return problems;
}

/** Names of servers that others have read from, but that have no presence. */
function silentPublishers(
  servers: readonly ServerStatus[],
  names: ReadonlySet<string>,
): string[] {
  const publishers = servers.flatMap(({ report }) => report?.streams ?? [])
    .filter(({ server }) => !names.has(server));
  return [...new Set(publishers.map(({ server }) => server))].sort();
}
