/**
 * A round: some seconds of chaos, then calm, in which everything must arrive.
 *
 * @module
 */
import type { Chance } from "../sim/chance.ts";
import type { Ledger } from "./ledger.ts";
import type { Program } from "./program.ts";
import type { Setting } from "./setting.ts";
import { pause, within } from "./waiting.ts";

/** When it is calm, everything arrives within so many seconds. */
const DEADLINE = 60;

/** A round; what is wrong after it is in the ledger. */
export async function runRound(setting: Setting, chance: Chance): Promise<void> {
  await disturb(setting, chance);
  await settle(setting);
}

async function disturb(setting: Setting, chance: Chance): Promise<void> {
  const { weather, disk, site: { publishers, readers, note } } = setting;
  if (disk && chance.happens(0.2)) await fillDisk(setting);
  const ms = chance.between(1000, 4000);
  const share = chance.pick([0.02, 0.1, 0.3, 0.6]);
  note("round", `${Math.round(ms)} ms, ${share * 100} % of the requests disturbed`);
  weather.storm(share);
  const programs = [...publishers, ...readers].map(({ program }) => program);
  const happenings: Promise<void>[] = [];
  for (const program of programs) {
    if (!chance.happens(0.25)) continue;
    const [at, dead] = [chance.between(0, ms), chance.between(0, 1000)];
    happenings.push(pause(at).then(() => kill(setting, program, dead)));
  }
  if (chance.happens(0.3)) {
    const [at, out] = [chance.between(0, ms), chance.between(200, 4000)];
    happenings.push(pause(at).then(() => weather.outage(out)));
  }
  await Promise.all([pause(ms), ...happenings]);
}

/** After a graceful stop the log of the database is gone; to write it again needs room. */
async function fillDisk({ disk, site: { publishers, note } }: Setting): Promise<void> {
  const onDisk = publishers.filter((publisher) => publisher.disk);
  await Promise.all(onDisk.map(({ program }) => program.stop("SIGTERM")));
  await Promise.all(onDisk.map((publisher) => publisher.start()));
  disk!.fill();
  note("round", "the disk is full");
}

/** Kills a program in the middle of something, and starts it again after so many milliseconds. */
async function kill({ site }: Setting, program: Program, dead: number): Promise<void> {
  const { ledger, readers, note } = site;
  await Promise.race([program.heard(), pause(500)]);
  note("round", `kills ${program.name}`);
  await program.stop("SIGKILL");
  if (readers.some((reader) => reader.program === program)) ledger.killed(program.name);
  await pause(dead);
  program.start();
}

async function settle({ weather, disk, site }: Setting): Promise<void> {
  const { publishers, readers, ledger, note } = site;
  note("round", "calm");
  weather.calm();
  disk?.free();
  for (const { program } of readers) program.start();
  await Promise.all(publishers.map(async (publisher) => {
    if (await within(DEADLINE, publisher.settle())) return;
    const { name } = publisher.program;
    ledger.violation(`${name} has not uploaded everything after ${DEADLINE} calm seconds`);
  }));
  await requireAll(ledger);
  await Promise.all(publishers.map((one) => one.go()));
}

/** Waits until everything has arrived, and compares it with what was published. */
export async function requireAll(ledger: Ledger): Promise<void> {
  if (!await within(DEADLINE, ledger.whenComplete())) {
    for (const { reader, publisher, numbers } of ledger.missing()) {
      ledger.violation(`${reader} lacks ${numbers.join(", ")} of ${publisher}`);
    }
  }
  ledger.verify();
}
