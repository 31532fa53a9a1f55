/**
 * Loads the configuration of the command line: file, then environment variables, then flags.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { checkConfig } from "./check.ts";
import type { Config } from "./config.ts";
import { configFromEnvironment, variableOf } from "./environment_variables.ts";
import { findConfigFile, readConfigFile } from "./file.ts";
import { merge } from "./merge.ts";
import { withAbsolutePaths } from "./resolve.ts";
import { defaultServerName } from "./server_name.ts";

/** Where the configuration comes from. */
export interface ConfigSources {
  /** Path of the configuration file; looked for in the working directory unless given. */
  readonly file?: string;
  /** What the flags say; checked. */
  readonly flags?: Config;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string>>;
  /** The working directory. */
  readonly cwd: string;
}

/** The configuration of the command line. */
export interface LoadedConfig {
  /** What file, environment and flags say together, with `server` and `state` filled in. */
  readonly config: Config & { readonly server: string; readonly state: string };
  /** Directory of the configuration file: where its relative paths start. */
  readonly directory: string;
  /** Absolute path of the configuration file, if there is one. */
  readonly file: string | undefined;
  /** Unknown keys and variables, a sentence each, where they are not errors. */
  readonly warnings: readonly string[];
}

/**
 * Loads the configuration. Relative paths start from the configuration file in it, from the
 * working directory in variables and flags.
 *
 * @throws {ConfigError} when anything in file or variables is wrong.
 */
export async function loadConfig(
  { file: path, flags = {}, env, cwd }: ConfigSources,
): Promise<LoadedConfig> {
  const file = path === undefined
    ? await findConfigFile(cwd)
    : await readConfigFile(resolve(cwd, path));
  const directory = file ? dirname(file.path) : cwd;
  const given = env[variableOf(["unknownKeys"])];
  const unknownKeys = given === "warn" ? "warn" : given ? "error" : undefined;
  const fromFile = file
    ? checkConfig(file.value, file.locate, unknownKeys)
    : { config: {}, warnings: [] };
  const fromVariables = configFromEnvironment(env, fromFile.config.unknownKeys);
  const config = [
    withAbsolutePaths(fromFile.config, directory),
    withAbsolutePaths(fromVariables.config, cwd),
    withAbsolutePaths(flags, cwd),
  ].reduce(merge);
  const server = config.server ?? defaultServerName();
  const state = config.state ?? join(directory, ".feedsync", `${server}.db`);
  const warnings = [...fromFile.warnings, ...fromVariables.warnings];
  return { config: { ...config, server, state }, directory, file: file?.path, warnings };
}
