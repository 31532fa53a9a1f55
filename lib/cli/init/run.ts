/**
 * `feedsync init`: makes the bucket, checks it, and writes the configuration file.
 *
 * @module
 */
import { check, type CheckFinding } from "../../check.ts";
import { ok, warning } from "../../check/finding.ts";
import { init } from "../../init.ts";
import type { CommandContext } from "../command.ts";
import { reportFindings } from "../findings.ts";
import { connectToLookUp } from "../lookup.ts";
import { loadPlan, type Plan } from "./plan.ts";
import { writeConfig } from "./write_config.ts";

/** Prints what it does and finds; resolves to the exit code. */
export async function run({ args, signal }: CommandContext): Promise<number> {
  const plan = await loadPlan(args);
  return await reportFindings(args, carryOut(plan, signal));
}

async function* carryOut(plan: Plan, signal: AbortSignal): AsyncIterable<CheckFinding> {
  const { settings, file } = plan;
  yield { check: "bucket", ...ok(await makeBucket(plan, signal)) };
  let isWrong = false;
  for await (const finding of check(settings.config, { ...settings, signal })) {
    isWrong ||= finding.level === "error";
    yield finding;
  }
  if (!file) return;
  if (isWrong) {
    const advice = "Mend what is wrong, and run `feedsync init` again";
    return yield { check: "configuration", ...warning(`${file.path} is not written`, advice) };
  }
  await writeConfig(file.path, file.config);
  const what = `The configuration is written to ${file.path}. It holds no access keys: ` +
    "docs/credentials.md says where they are looked for";
  yield { check: "configuration", ...ok(what) };
}

/** Makes the bucket; resolves to what became of it. */
async function makeBucket({ settings }: Plan, signal: AbortSignal): Promise<string> {
  const config = { ...settings.config, enabled: true };
  await using sync = await connectToLookUp({ ...settings, config });
  const isMade = await init(sync, { signal });
  const what = sync.store.startsWith("file:") ? "directory" : "bucket";
  return `The ${what} of the store ${sync.store} ${isMade ? "is made" : "is there"}`;
}
