/**
 * What a soak measures: memory and open handles of processes, sizes of states and of the bucket.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import type { Program } from "./program.ts";
import type { Site } from "./site.ts";

/** A number that is measured again and again. */
export interface Series {
  /** What is measured, and its unit. */
  readonly name: string;
  /** By how much it may grow and still count as flat, in its unit. */
  readonly slack: number;
  /** After so many times the retention what is old goes: until then it grows. 0: it never does. */
  readonly lives: number;
  /** The values so far. */
  readonly values: number[];
  /** Measures. */
  readonly measure: () => number | Promise<number>;
}

const MB = 1024 * 1024;

/** Tables of a state that remember what happened, and must forget it. */
const TABLES = [
  "cursors",
  "newest",
  "files",
  "republished",
  "former_streams",
  "seen_objects",
  "forgettable",
];

/** The newest commit of a stream is kept for two, and the stream remembered for four more. */
const LIVES_OF_A_STREAM = 6;

/** Everything there is to measure at a site. */
export function seriesOf({ publishers, readers, bucket, directory }: Site): Series[] {
  const programs = [...publishers, ...readers].map(({ program }) => program);
  const size = () => bucket.measure();
  return [
    ...programs.flatMap((program) => [
      series(`${program.name}: memory, MB`, () => memoryOf(program) / MB, { slack: 10 }),
      series(`${program.name}: handles`, () => handlesOf(program), { slack: 3 }),
      series(`${program.name}: state, MB`, () => stateSize(directory, program.name) / MB, {
        slack: 0.5,
      }),
      series(`${program.name}: state, rows`, () => stateRows(directory, program.name), {
        slack: 5,
        lives: LIVES_OF_A_STREAM,
      }),
    ]),
    series("bucket: objects", async () => (await size()).objects, { slack: 15, lives: 1 }),
    series("bucket: MB", async () => (await size()).bytes / MB, { slack: 1, lives: 1 }),
  ];
}

function series(
  name: string,
  measure: Series["measure"],
  { slack, lives = 0 }: { slack: number; lives?: number },
): Series {
  return { name, measure, slack, lives, values: [] };
}

/** Bytes of memory that the process has for itself and has not given back. */
function memoryOf({ pid }: Program): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kilobytes) * 1024;
}

function handlesOf({ pid }: Program): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Bytes of a state database, its log included. */
function stateSize(directory: string, name: string): number {
  return [...Deno.readDirSync(directory)]
    .filter((entry) => entry.name.startsWith(`${name}.db`))
    .reduce((sum, entry) => sum + Deno.statSync(`${directory}/${entry.name}`).size, 0);
}

/** Rows of a state's tables that are not updates. */
function stateRows(directory: string, name: string): number {
  using db = new DatabaseSync(`${directory}/${name}.db`, { readOnly: true });
  const counts = TABLES.map((table) => `(SELECT count(*) FROM ${table})`);
  return Number(db.prepare(`SELECT ${counts.join(" + ")} AS count`).get()!.count);
}
