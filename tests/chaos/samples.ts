/**
 * What a soak measures: memory and open handles of processes, sizes of states and of the bucket.
 *
 * @module
 */
import type { Program } from "./program.ts";
import type { Site } from "./site.ts";

/** A number that is measured again and again. */
export interface Series {
  /** What is measured, and its unit. */
  readonly name: string;
  /** By how much it may grow and still count as flat, in its unit. */
  readonly slack: number;
  /** It is bounded by the retention: only what is older goes. */
  readonly retained: boolean;
  /** The values so far. */
  readonly values: number[];
  /** Measures. */
  readonly measure: () => number | Promise<number>;
}

const MB = 1024 * 1024;

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
    ]),
    series("bucket: objects", async () => (await size()).objects, { slack: 15, retained: true }),
    series("bucket: MB", async () => (await size()).bytes / MB, { slack: 1, retained: true }),
  ];
}

function series(
  name: string,
  measure: Series["measure"],
  { slack, retained = false }: { slack: number; retained?: boolean },
): Series {
  return { name, measure, slack, retained, values: [] };
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
