/**
 * A soak: 20 updates a second for a while, with two servers that watch, one of which publishes feed
 * files, too. Memory, open handles and states must stay as they are; the bucket must not hold more
 * than the retention; what states remember of streams that come and go neither, which takes two hours to
 * tell. In the end everything must have arrived.
 *
 *     deno task soak [--minutes M]
 *
 * Ceph is started where it is installed (`deno task test:ceph` installs it), unless
 * `FEEDSYNC_TEST_CEPH` names one that runs.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { Chance } from "../sim/chance.ts";
import { feedsync } from "../cli/feedsync.ts";
import { requireAll } from "./round.ts";
import { type Series, seriesOf } from "./samples.ts";
import { environmentFor } from "./servers.ts";
import { Site } from "./site.ts";
import { table, type Trend, trendOf } from "./trend.ts";
import { pause } from "./waiting.ts";

/** 20 updates of 1 KB a second. */
const HABITS = { batch: [1, 1], interval: [50, 50], sizes: [1024] } as const;

/** The least that is allowed, in minutes. */
const RETENTION = 10;

const SECOND = 1000, MINUTE = 60 * SECOND;

/** Time between two samples, in milliseconds. */
const INTERVAL = 10 * SECOND;

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const minutes = readMinutes();
  await using site = await Site.prepare();
  const interrupted = new Promise<number>((resolve) =>
    Deno.addSignalListener("SIGINT", () => resolve(130))
  );
  return await Promise.race([interrupted, soak(site, minutes)]);
}

async function soak(site: Site, minutes: number): Promise<number> {
  const { ledger } = site;
  const feeds = await startServers(site);
  const series = seriesOf(site);
  await sample(site, { series, feeds, minutes });
  await site.publishers[0].settle();
  await requireAll(ledger);
  const trends = series.map((one) => trendOf(one, warmUpOf(one, minutes)));
  console.log(
    `${minutes} minutes, of which those are left out in which what is old had to expire\n`,
  );
  console.log(table(trends));
  console.log(`\n${ledger.accepted} updates accepted, ${ledger.arrived} arrived at 2 readers`);
  return judge(site, trends);
}

/** Until the first updates have expired everything grows, and some of it for longer. */
function warmUpOf({ lives }: Series, minutes: number): { warmUp: number; expired: boolean } {
  const needed = Math.max(1, lives) * RETENTION;
  const expired = minutes >= 2 * needed;
  const left = expired ? (needed + 2) * MINUTE : minutes * MINUTE / 3;
  return { warmUp: Math.floor(left / INTERVAL), expired };
}

/** Returns the directory of feed files. */
async function startServers(site: Site): Promise<string> {
  const { bucket: { url: store, s3 }, directory } = site;
  const feeds = `${directory}/feeds`;
  await Deno.mkdir(feeds);
  const retention = `${RETENTION}m`;
  const watching = { store, s3, poll: "1s", env: { FEEDSYNC_RETENTION: retention } };
  site.addReader("reader-1", watching);
  site.addReader("reader-2", { ...watching, args: ["--files", feeds] });
  const state = `${directory}/publisher.db`;
  const publisher = site.addPublisher("publisher", {
    config: { server: "publisher", store, s3, state, retention },
    habits: HABITS,
    chance: new Chance(1),
  });
  await publisher.start();
  return feeds;
}

/** Measures everything at each interval; feed files change and the bucket is cleaned up meanwhile. */
async function sample(
  site: Site,
  { series, feeds, minutes }: { series: readonly Series[]; feeds: string; minutes: number },
): Promise<void> {
  const started = performance.now();
  for (let seconds = 1; seconds <= minutes * 60; seconds++) {
    await pause(started + seconds * SECOND - performance.now());
    const name = encodeURIComponent(`https://example.org/${seconds % 5}`);
    await Deno.writeTextFile(`${feeds}/${name}.feed`, `<rss>${seconds}</rss>`);
    if (seconds * SECOND % MINUTE === 0) await Promise.all([cleanUp(site), publishOnce(site)]);
    if (seconds * SECOND % INTERVAL === 0) {
      for (const one of series) one.values.push(await one.measure());
    }
    if (site.ledger.violations.length > 0) return;
  }
}

/** As a cron job does it: a server that watches cleans up only once an hour. */
async function cleanUp({ bucket: { url, s3 }, directory, ledger }: Site): Promise<void> {
  const args = ["cleanup", "--max-age", `${RETENTION}m`, "--store", url, "--server", "cleaner"];
  const options = { cwd: directory, env: environmentFor(s3) };
  const { code, stderr } = await feedsync(args, options);
  if (code !== 0) ledger.violation(`feedsync cleanup ended with exit code ${code}: ${stderr}`);
}

/** As a job does it that runs on a new machine each time: a stream with one update, and no other ever. */
async function publishOnce({ bucket: { url, s3 }, directory, ledger }: Site): Promise<void> {
  const args = ["publish", "https://example.org/job", "-", "--store", url, "--server", "job"];
  const options = { cwd: directory, env: environmentFor(s3), stdin: "<rss/>" };
  const { code, stderr } = await feedsync([...args, "--state", ":memory:"], options);
  if (code !== 0) ledger.violation(`feedsync publish ended with exit code ${code}: ${stderr}`);
}

function judge(site: Site, trends: readonly Trend[]): number {
  const growing = trends.filter(({ grows }) => grows).map(({ name }) => `${name} grows`);
  const problems = [...site.ledger.violations, ...growing];
  if (problems.length === 0) return 0;
  site.isKept = true;
  console.error(`\nWrong:`);
  for (const problem of problems.slice(0, 50)) console.error(`- ${problem}`);
  console.error(`Journal, states and bucket are in ${site.directory}`);
  return 1;
}

function readMinutes(): number {
  const { values } = parseArgs({ options: { minutes: { type: "string", default: "30" } } });
  const minutes = Number(values.minutes);
  if (minutes >= 1) return minutes;
  throw new RangeError(`--minutes must be a number of at least 1: current value is ${minutes}`);
}
