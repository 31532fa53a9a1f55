/**
 * `feedsync check`: checks everything that a server needs.
 *
 * @module
 */
import { check, type CheckFinding, withoutConfiguration } from "../../check.ts";
import { loadLeniently } from "../../check/configuration.ts";
import { ok, warning, wrong } from "../../check/finding.ts";
import type { Config } from "../../config/config.ts";
import { variableOf } from "../../config/environment_variables.ts";
import { loadConfig, type LoadedConfig } from "../../config/load.ts";
import type { Arguments, CommandContext } from "../command.ts";
import { reportFindings } from "../findings.ts";
import { configSources } from "../settings.ts";

/** Prints what it finds; resolves to the exit code. */
export async function run({ args, signal }: CommandContext): Promise<number> {
  return await reportFindings(args, findings(args, signal));
}

async function* findings(args: Arguments, signal: AbortSignal): AsyncIterable<CheckFinding> {
  const { value, error } = await load(args);
  if (error) yield { check: "configuration", ...wrong(error) };
  if (!value) return yield* withoutConfiguration();
  const { file, directory, warnings, config } = value;
  const source = file ? `The configuration is in ${file}` : `There is no configuration file`;
  yield { check: "configuration", ...ok(source) };
  for (const text of error ? [] : warnings) {
    yield { check: "configuration", ...warning(text, "Correct it, or upgrade feedsync") };
  }
  if (config.store === undefined) {
    const what = "No store is configured: the one on this machine shares updates with no other";
    const advice = 'Give all servers the same bucket: "store": "s3://bucket/prefix"';
    yield { check: "configuration", ...warning(what, advice) };
  }
  yield* check(config, { directory, signal, thorough: args.has("thorough") });
}

function load(args: Arguments) {
  const sources = configSources(args);
  return loadLeniently<LoadedConfig>(({ unknownKeys }: Pick<Config, "unknownKeys">) => {
    if (!unknownKeys) return loadConfig(sources);
    const env = { ...sources.env, [variableOf(["unknownKeys"])]: unknownKeys };
    return loadConfig({ ...sources, env });
  });
}
