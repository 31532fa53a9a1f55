/**
 * What `feedsync init` is to do: where the bucket is, and what to write into which file.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import type { Config } from "../../config/config.ts";
import { type ConfigSources, loadConfig, type LoadedConfig } from "../../config/load.ts";
import { defined } from "../../config/merge.ts";
import { withAbsolutePaths } from "../../config/resolve.ts";
import { ConfigError } from "../../errors.ts";
import type { Arguments } from "../command.ts";
import { UsageError } from "../exit.ts";
import { configSources } from "../settings.ts";

/** What to do. */
export interface Plan {
  /** The configuration, with the flags. */
  readonly settings: LoadedConfig;
  /** The file to write; absent if there is one, or nothing to write into it. */
  readonly file?: { readonly path: string; readonly config: Config };
}

/** The flags that go into the file, and their keys there. */
const KEYS: Readonly<Record<string, string>> = {
  server: "server",
  store: "store",
  state: "state",
  endpoint: "s3.endpoint",
  region: "s3.region",
};

/** Name of the file that is written unless `--config` names another one. */
const FILE = "feedsync.json";

/**
 * Reads the flags and, if there is one, the configuration file.
 *
 * @throws {UsageError} when a flag is wrong, or no store is named.
 * @throws {ConfigError} when the configuration is wrong, or a file that is there says otherwise.
 */
export async function loadPlan(args: Arguments): Promise<Plan> {
  const given = flagsIn(args);
  const sources: ConfigSources = { ...configSources(args, given), isFileNew: true };
  const settings = await loadConfig(sources);
  if (settings.config.store === undefined) throw new UsageError(NO_STORE);
  if (settings.file !== undefined) {
    refuseChanges(settings, await loadConfig({ ...sources, flags: {} }), args);
    return { settings };
  }
  if (Object.keys(given).length === 0) return { settings };
  const path = resolve(args.value("config") ?? FILE);
  if (/^deno\.jsonc?$/.test(basename(path))) throw new UsageError(`${NOT_ALONE}: ${path}`);
  const isHere = dirname(path) === Deno.cwd();
  return {
    settings,
    file: { path, config: isHere ? given : withAbsolutePaths(given, Deno.cwd()) },
  };
}

const NO_STORE = "--store is missing: name the bucket, --store s3://bucket/prefix. Without one, " +
  "feedsync uses a directory on this machine, which needs no init";

const NOT_ALONE =
  "Cannot write the configuration into a file of Deno; name another one with --config";

/** What the flags say, as it goes into the file. */
function flagsIn(args: Arguments): Config {
  const [server, store, state] = ["server", "store", "state"].map((name) => args.value(name));
  const s3 = defined({ endpoint: args.value("endpoint"), region: args.value("region") });
  return defined({ server, store, state, ...Object.keys(s3).length > 0 && { s3 } });
}

/**
 * Refuses flags that a file which is there does not say: it is not rewritten, since it may hold
 * comments and more.
 *
 * @throws {ConfigError} when there are any.
 */
function refuseChanges(wanted: LoadedConfig, there: LoadedConfig, args: Arguments): void {
  for (const [flag, key] of Object.entries(KEYS)) {
    const value = valueAt(key, there.config);
    if (args.value(flag) === undefined || valueAt(key, wanted.config) === value) continue;
    throw new ConfigError(
      `Cannot write the configuration: ${wanted.file} is there already, with which '${key}' is ` +
        `${value ?? "not set"}; change that there and leave out --${flag}, or name another file ` +
        "with --config",
    );
  }
}

function valueAt(key: string, config: Config): unknown {
  return key.split(".").reduce<unknown>(
    (value, name) => (value as Record<string, unknown> | undefined)?.[name],
    config,
  );
}
