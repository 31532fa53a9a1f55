/**
 * A round: some seconds of chaos, then calm, in which everything must arrive.
 *
 * @module
 */
import type { Chance } from "../sim/chance.ts";
import type { Ledger } from "./ledger.ts";
import type { Program } from "./program.ts";
import { expireLog } from "./expiry.ts";
import type { Reader } from "./servers.ts";
import { addReader, AWAY, type Setting } from "./setting.ts";
import { pause, within } from "./waiting.ts";

/** When it is calm, everything arrives within so many seconds. */
const DEADLINE = 60;

/** A round; what is wrong after it is in the ledger. */
export async function runRound(setting: Setting, chance: Chance): Promise<void> {
  const { readers } = setting.site;
  const away = readers.find(({ program }) => program.name === AWAY)!;
  await away.program.stop("SIGTERM");
  await disturb(setting, chance, readers.filter((reader) => reader !== away));
  await settle(setting, away);
}

async function disturb(
  setting: Setting,
  chance: Chance,
  readers: readonly Reader[],
): Promise<void> {
  const { weather, disk, site: { publishers, note } } = setting;
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

async function settle(setting: Setting, away: Reader): Promise<void> {
  const { weather, disk, site: { publishers, readers, ledger, note } } = setting;
  note("round", "calm");
  weather.calm();
  disk?.free();
  for (const reader of readers) if (reader !== away) reader.program.start();
  await Promise.all(publishers.map(async (publisher) => {
    if (await within(DEADLINE, publisher.settle())) return;
    const { name } = publisher.program;
    ledger.violation(`${name} has not uploaded everything after ${DEADLINE} calm seconds`);
  }));
  await requireAll(ledger, { withLate: false });
  if (ledger.violations.length === 0) await requireComplete(setting, away);
  await Promise.all(publishers.map((one) => one.go()));
}

/** Much of the log is gone: a reader that was away meanwhile, and a new one, must end complete. */
async function requireComplete(setting: Setting, away: Reader): Promise<void> {
  const { site, site: { ledger, readers, note } } = setting;
  const { deleted, carried } = await expireLog(setting);
  note("round", `${deleted} objects expired, ${carried} updates were carried`);
  const joined = addReader(setting, `joined-${++joins}`, { isLate: true });
  away.program.start();
  await requireAll(ledger);
  ledger.dropLateReader(joined.program.name);
  await joined.program.stop("SIGTERM");
  readers.splice(readers.indexOf(joined), 1);
  await Deno.remove(`${site.directory}/${joined.program.name}.db`);
}

let joins = 0;

/** Waits until everything has arrived, and compares it with what was published. */
export async function requireAll(ledger: Ledger, { withLate = true } = {}): Promise<void> {
  if (!await within(DEADLINE, ledger.whenComplete({ withLate }))) {
    for (const { reader, publisher, numbers } of ledger.missing()) {
      ledger.violation(`${reader} lacks ${numbers.join(", ")} of ${publisher}`);
    }
    for (const { reader, urls } of withLate ? ledger.outdated() : []) {
      ledger.violation(`${reader} lacks the newest update of ${urls.join(", ")}`);
    }
  }
  ledger.verify();
}
