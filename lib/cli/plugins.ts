/**
 * Loads the plugins for commands.
 *
 * @module
 */
import { DEFAULTS } from "../config/core.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { KnownFiles } from "../known_files.ts";
import { loadPlugins } from "../plugins/load_plugins.ts";
import type { RunningPlugin } from "../plugin.ts";
import { printer } from "./output.ts";

/**
 * Loads the configured plugins. With `json`, a plugin that prints updates as JSON replaces the
 * `log` plugin.
 *
 * @throws {ConfigError} when a plugin cannot be used.
 */
export async function loadPluginsFor(
  { config, directory }: LoadedConfig,
  { json, ...known }: {
    readonly json: boolean;
    /** See {@linkcode LoadPluginsOptions}. */
    readonly knownFiles?: KnownFiles;
    /** See {@linkcode LoadPluginsOptions}. */
    readonly knownPlugins?: readonly string[] | undefined;
  },
): Promise<RunningPlugin[]> {
  const entries = config.plugins ?? DEFAULTS.plugins;
  const host = { server: config.server, directory, ...known };
  if (!json) return await loadPlugins(entries, host);
  const others = entries.filter((entry) => [entry].flat()[0] !== "log");
  return [...await loadPlugins(others, host), printer];
}
