/**
 * Loads the configuration of the command line: file, then environment variables, then flags.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "../errors.ts";
import { checkConfig, type CheckedConfig } from "./check.ts";
import type { Config } from "./config.ts";
import { configFromEnvironment, variableOf } from "./environment_variables.ts";
import { type ConfigFile, findConfigFile, readConfigFile } from "./file.ts";
import { merge } from "./merge.ts";
import { withAbsolutePaths } from "./resolve.ts";
import { defaultServerName } from "./server_name.ts";

/** Sources of the configuration. */
export interface ConfigSources {
  /** Path of the configuration file. @default the file in the working directory, if any */
  readonly file?: string;
  /** Whether `file` may be missing, since it is about to be written. @default false */
  readonly isFileNew?: boolean;
  /** The checked values of flags. */
  readonly flags?: Config;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string>>;
  /** The working directory. */
  readonly cwd: string;
}

/** The configuration of the command line. */
export interface LoadedConfig {
  /** The merged configuration, with `server` and `state` filled in. */
  readonly config: Config & { readonly server: string; readonly state: string };
  /** Whether `state` is the {@linkcode defaultState}, which is named after the server. */
  readonly isDefaultState: boolean;
  /** Directory of the configuration file, from which its relative paths start. */
  readonly directory: string;
  /** Absolute path of the configuration file, if there is one. */
  readonly file: string | undefined;
  /** One sentence per unknown key or variable, if those are not errors. */
  readonly warnings: readonly string[];
}

/**
 * Loads the configuration. Relative paths in the configuration file start from its directory, those
 * in variables and flags from the working directory.
 *
 * @throws {ConfigError} when the file or a variable is invalid.
 */
export async function loadConfig(
  { file: path, isFileNew = false, flags = {}, env, cwd }: ConfigSources,
): Promise<LoadedConfig> {
  const named = path === undefined ? undefined : resolve(cwd, path);
  const file = named === undefined
    ? await findConfigFile(cwd)
    : await readConfigFile(named, { isNew: isFileNew });
  const place = file?.path ?? named;
  const directory = place === undefined ? cwd : dirname(place);
  const given = env[variableOf(["unknownKeys"])];
  const unknownKeys = given === "warn" ? "warn" : given ? "error" : undefined;
  const fromFile = file ? await checkFile(file, unknownKeys) : { config: {}, warnings: [] };
  const fromVariables = configFromEnvironment(env, fromFile.config.unknownKeys);
  const config = [
    withAbsolutePaths(fromFile.config, directory),
    withAbsolutePaths(fromVariables.config, cwd),
    withAbsolutePaths(flags, cwd),
  ].reduce(merge);
  const server = config.server ?? defaultServerName();
  const isDefaultState = config.state === undefined;
  const state = config.state ?? defaultState(directory, server);
  const warnings = [...fromFile.warnings, ...fromVariables.warnings];
  const filled = { ...config, server, state };
  return { config: filled, isDefaultState, directory, file: file?.path, warnings };
}

/** Checks a file; where something is wrong in it is found out only then. */
async function checkFile(
  { value, locator }: ConfigFile,
  unknownKeys: Config["unknownKeys"],
): Promise<CheckedConfig> {
  try {
    const checked = checkConfig(value, undefined, unknownKeys);
    if (checked.warnings.length === 0) return checked;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  return checkConfig(value, await locator(), unknownKeys);
}

/** Where the state of a server is, unless the configuration says otherwise. */
export function defaultState(directory: string, server: string): string {
  return join(directory, ".feedsync", `${server}.db`);
}
