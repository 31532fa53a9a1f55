/**
 * Runs tests with the servers that they need:
 *
 * ```text
 * deno run -A tests/servers/run.ts [--require-ceph | --require-chromium] -- ARGUMENT...
 * ```
 *
 * The arguments are those of `deno test`. Ceph is started once for all test files where it is
 * installed; with `--require-ceph` it is installed first. With `--require-chromium` Chromium is, and
 * nothing else is started. The last line is `N passed, N failed`.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { type CephServer, installCeph, isCephInstalled, startCeph } from "./ceph.ts";
import { installChromium, isChromiumInstalled } from "./chromium.ts";

const USAGE =
  "Usage: deno run -A tests/servers/run.ts [--require-ceph | --require-chromium] -- ARGUMENT...";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const dashes = args.indexOf("--");
  const [flag, ...more] = args.slice(0, dashes === -1 ? 0 : dashes);
  const isKnown = [undefined, "--require-ceph", "--require-chromium"].includes(flag);
  if (dashes === -1 || !isKnown || more.length > 0) {
    console.error(USAGE);
    return 64;
  }
  const rest = args.slice(dashes + 1);
  if (flag === "--require-chromium") {
    if (!await isChromiumInstalled()) await installChromium();
    return await testAndTell(rest, { FEEDSYNC_TEST_CHROMIUM: "required" });
  }
  await using ceph = await prepareCeph(flag === "--require-ceph");
  return await testAndTell(rest, environmentFor(ceph));
}

async function prepareCeph(isRequired: boolean): Promise<CephServer | undefined> {
  if (Deno.env.get("FEEDSYNC_TEST_CEPH")?.startsWith("http")) return undefined;
  if (!await isCephInstalled()) {
    if (!isRequired) return undefined;
    await installCeph();
  }
  return await startCeph();
}

function environmentFor(ceph: CephServer | undefined): Record<string, string> {
  if (ceph === undefined) return {};
  return { FEEDSYNC_TEST_CEPH: ceph.endpoint, FEEDSYNC_TEST_CEPH_DIRECTORY: ceph.directory };
}

async function testAndTell(args: readonly string[], env: Record<string, string>): Promise<number> {
  const { code, summary } = await runTests(args, env);
  console.log(summary);
  return code;
}

/** What came of tests. */
export interface Outcome {
  /** The exit code. */
  readonly code: number;
  /** `N passed, N failed`. */
  readonly summary: string;
}

/** Runs `deno test` with these arguments, and shows what it prints. */
export async function runTests(
  args: readonly string[],
  env: Record<string, string>,
): Promise<Outcome> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", ...args],
    env,
    stdout: "piped",
  });
  const child = command.spawn();
  const [shown, read] = child.stdout.tee();
  const [text, { code }] = await Promise.all([
    new Response(read).text(),
    child.status,
    shown.pipeTo(Deno.stdout.writable, { preventClose: true }),
  ]);
  return { code, summary: summarize(text) };
}

/** Deno's summary, in the form that all test runners are read in. */
export function summarize(output: string): string {
  const plain = stripVTControlCharacters(output);
  const summary =
    /\| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?: \| (\d+) ignored)?/g;
  const [, passed = "0", failed = "0", ignored] = [...plain.matchAll(summary)].at(-1) ?? [];
  const skipped = ignored === undefined ? "" : `, ${ignored} skipped`;
  return `${passed} passed, ${failed} failed${skipped}`;
}
