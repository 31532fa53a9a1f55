/**
 * Runs the contract of stores, and servers end to end, against services that others have written:
 *
 * ```text
 * deno run -A tests/servers/test_stores.ts [--quick] [NAME...]
 * ```
 *
 * The names are those of `stores/table.ts`; without one all are tested that can be installed here,
 * with `--quick` the three that take the least time. The last line is `N passed, N failed`.
 *
 * @module
 */
import { messageOf } from "../../lib/errors.ts";
import { runTests } from "./run.ts";
import { install } from "./stores/install.ts";
import { environmentFor, startStore } from "./stores/start.ts";
import { STORES } from "./stores/table.ts";

/** What is tested; by them a store is known to publish, watch, seal, clean up and restore. */
const TESTS = [
  "tests/stores/named_contract.ts",
  ...["servers", "newest", "processes", "check"].map((name) => `tests/end_to_end/${name}_test.ts`),
];

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const wanted = args.filter((arg) => arg !== "--quick");
  const unknown = wanted.find((name) => !Object.hasOwn(STORES, name));
  if (unknown !== undefined) {
    console.error(`Unknown: ${unknown}; known are --quick, ${Object.keys(STORES).join(", ")}`);
    return 64;
  }
  const isQuick = args.includes("--quick");
  const others = Object.keys(STORES).filter((name) => !isQuick || STORES[name].isQuick);
  const reports: Report[] = [];
  for (const name of wanted.length > 0 ? wanted : others) {
    reports.push(await testStore(name, { isRequired: wanted.length > 0 }));
  }
  console.log(`\n${reports.map(({ name, text }) => `${name}: ${text}`).join("\n")}`);
  const sum = (key: "passed" | "failed" | "skipped") =>
    reports.reduce((total, report) => total + report[key], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  return reports.some(({ isRight }) => !isRight) ? 1 : 0;
}

/** What came of a store. */
interface Report {
  readonly name: string;
  readonly text: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly isRight: boolean;
}

/** What cannot be installed is skipped, unless it `isRequired`. */
async function testStore(
  name: string,
  { isRequired }: { isRequired: boolean },
): Promise<Report> {
  const row = STORES[name];
  console.log(`\n${name} ${row.package.version}, from ${row.package.registry}`);
  const begun = performance.now();
  let program: string;
  try {
    program = await install(name, row);
  } catch (error) {
    const text = `${isRequired ? "not installed" : "skipped"}: ${messageOf(error)}`;
    return { name, text, passed: 0, failed: 0, skipped: 0, isRight: !isRequired };
  }
  try {
    await using server = await startStore(name, program);
    const ready = performance.now();
    const { code, summary } = await runTests(["-A", "--frozen", ...TESTS], environmentFor(server));
    const [passed = 0, failed = 0, skipped = 0] = summary.match(/\d+/g)?.map(Number) ?? [];
    const text = `${summary}; ready after ${secondsBetween(begun, ready)}, tested in ` +
      secondsBetween(ready, performance.now());
    return { name, text, passed, failed, skipped, isRight: code === 0 };
  } catch (error) {
    return { name, text: messageOf(error), passed: 0, failed: 1, skipped: 0, isRight: false };
  }
}

function secondsBetween(fromMs: number, toMs: number): string {
  return `${((toMs - fromMs) / 1_000).toFixed(1)} s`;
}
