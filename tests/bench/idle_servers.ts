/**
 * What many servers cost that have nothing to do, on one bucket.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Place } from "./place.ts";
import { cpuSeconds, processesWith } from "./processes.ts";
import { startProgram } from "./program.ts";
import { atMost, type Row, told } from "./rows.ts";

const SERVERS = 100;

/** They are shared out among so many processes. */
const PROCESSES = 4;

/** Milliseconds: until they have settled, and of the measurement. */
const WARM_UP = 15_000, DURATION = 60_000;

/** What the program is started with. */
export interface IdleServers {
  /** Their names. */
  readonly servers: readonly string[];
  /** Their states, in the same order. */
  readonly states: readonly string[];
  /** The bucket. */
  readonly store: { readonly url: string; readonly s3: object };
  /** How often they poll. */
  readonly poll: string;
}

/** With the directory of Ceph, if it is on this machine, what it takes is told, too. */
export async function* idleServers(
  place: Place,
  { cephDirectory, signal }: { cephDirectory: string; signal: AbortSignal },
): AsyncIterable<Row> {
  const store = place.bucket();
  await using running = new AsyncDisposableStack();
  const names = Array.from({ length: SERVERS }, (_, index) => `server-${index + 1}`);
  const programs = Array.from({ length: PROCESSES }, (_, process) => {
    const servers = names.filter((_, index) => index % PROCESSES === process);
    const states = servers.map(() => place.stateFile());
    const input: IdleServers = { servers, states, store, poll: "5s" };
    return running.use(startProgram("idle_servers.ts", input));
  });
  for (const { lines } of programs) {
    if ((await lines.next()).done) throw new Error("The idle servers have ended, see above");
  }
  await delay(WARM_UP, undefined, { signal });

  const ours = programs.map(({ pid }) => pid);
  const cephs = cephDirectory === "" ? [] : processesWith(`${cephDirectory}/ceph.conf`);
  const before = [cpuSeconds(ours), cpuSeconds(cephs)];
  await delay(DURATION, undefined, { signal });
  const [own, ceph] = [cpuSeconds(ours), cpuSeconds(cephs)].map((seconds, index) =>
    (seconds - before[index]) / (DURATION / 1000) / SERVERS * 100
  );
  const unit = "% of a core";
  yield atMost(1, { name: `${SERVERS} idle servers, poll 5s: CPU of each`, value: own, unit });
  if (cephs.length > 0) yield told({ name: "  Ceph, for each of them", value: ceph, unit });
}
