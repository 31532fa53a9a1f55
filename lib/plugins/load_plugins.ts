/**
 * Loads plugins by their names in the configuration, or takes those that a program passes.
 *
 * @module
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { checkOptions, checkPlugin, isPair, pluginError } from "./check_plugin.ts";
import { suggest } from "../base/nearest.ts";
import { cutDownUrls } from "../base/redact.ts";
import { BackendUnavailableError, messageOf } from "../errors.ts";
import type { KnownFiles } from "../known_files.ts";
import { plainLogger } from "../base/plain_logger.ts";
import { failureOf, tellFailure } from "./failure.ts";
import {
  type AnyPlugin,
  type PluginEntry,
  type PluginLogger,
  type RunningPlugin,
  startPlugin,
} from "../plugin.ts";

/** What plugins are loaded for. */
export interface LoadPluginsOptions {
  /** Name of this server. */
  readonly server: string;
  /** Absolute path that relative paths, of plugins and in their options, start from. */
  readonly directory: string;
  /** What the server has seen in feed files. */
  readonly knownFiles?: KnownFiles | undefined;
  /** Names of the plugins that the server had before. @default none */
  readonly knownPlugins?: readonly string[] | undefined;
  /** Makes the log of the plugin called `name`. @default a logger of LogTape */
  readonly loggerFor?: (name: string) => PluginLogger;
}

interface PluginModule {
  readonly default?: unknown;
}

/** Literal imports, so that `deno compile` includes them; each is loaded only when it is used. */
const BUILT_IN: Readonly<Record<string, () => Promise<PluginModule>>> = {
  log: () => import("../../plugins/log.ts"),
  mirror: () => import("../../plugins/mirror.ts"),
  webhook: () => import("../../plugins/webhook.ts"),
  exec: () => import("../../plugins/exec.ts"),
  sqlite: () => import("../../plugins/sqlite.ts"),
};

/**
 * Loads and sets up plugins in the given order. A name that is used twice gets a number, so that logs
 * and dead letters distinguish the two.
 *
 * @throws {ConfigError} when one cannot be used, after closing those before it.
 * @throws {BackendUnavailableError} when one cannot reach its backend; the same then.
 */
export async function loadPlugins(
  entries: readonly PluginEntry[],
  options: LoadPluginsOptions,
): Promise<RunningPlugin[]> {
  const running: RunningPlugin[] = [];
  try {
    for (const entry of entries) {
      running.push(await loadPlugin(entry, running.map(({ name }) => name), options));
    }
    return running;
  } catch (error) {
    for (const plugin of running.reverse()) await closeQuietly(plugin, options);
    throw error;
  }
}

/** A plugin, with the options that it is used with. */
interface FoundPlugin {
  readonly plugin: AnyPlugin;
  readonly options: unknown;
  /** What the configuration calls it. */
  readonly called: string;
}

/**
 * Finds a plugin, loads its module, and checks it and its options, without setting it up.
 *
 * @throws {ConfigError} when it cannot be used.
 */
export async function findPlugin(
  entry: PluginEntry,
  { directory }: Pick<LoadPluginsOptions, "directory">,
): Promise<FoundPlugin> {
  const [given, options] = typeof entry === "string" || !isPair(entry) ? [entry] : entry;
  const called = typeof given === "string" ? given : given.name;
  const plugin = checkPlugin(
    typeof given === "string" ? defaultOf(await importPlugin(given, directory), given) : given,
    called,
  );
  checkOptions(plugin, options, called);
  return { plugin, options, called };
}

async function loadPlugin(
  entry: PluginEntry,
  taken: readonly string[],
  { server, directory, knownFiles, knownPlugins = [], loggerFor = pluginLogger }:
    LoadPluginsOptions,
): Promise<RunningPlugin> {
  const { plugin, options, called } = await findPlugin(entry, { directory });
  const name = uniqueName(plugin.name, taken);
  try {
    const host = {
      ...{ server, directory, logger: loggerFor(name), wasUsed: knownPlugins.includes(name) },
      ...knownFiles && { files: knownFiles },
    };
    return { ...await startPlugin(plugin, options, host), name };
  } catch (cause) {
    throw setupError(called, cause);
  }
}

function setupError(called: string, cause: unknown): Error {
  const message = tellFailure(cause), failure = failureOf(cause);
  if (failure.kind !== "unavailable") {
    return pluginError(called, `its setup failed: ${message}`, cause);
  }
  return new BackendUnavailableError(
    `Cannot set up plugin '${cutDownUrls(called)}', its backend cannot be reached: ${message}`,
    { cause, retryAfterMs: failure.retryAfterMs },
  );
}

async function importPlugin(called: string, directory: string): Promise<PluginModule> {
  const builtIn = Object.hasOwn(BUILT_IN, called) ? BUILT_IN[called] : undefined;
  if (builtIn) return await builtIn();
  const specifier = isSpecifier(called) ? called : await fileUrl(called, directory);
  try {
    return await import(specifier);
  } catch (cause) {
    throw pluginError(called, inOneLine(stripVTControlCharacters(tellFailure(cause))), cause);
  }
}

/** A message in one line; what is wrong and where, when it has an excerpt of the source in it. */
function inOneLine(message: string): string {
  const lines = message.split("\n");
  const place = lines.find((line) => line.startsWith("    at "));
  const told = place === undefined ? lines : [lines[0], place];
  return told.map((line) => line.trim()).join(" ");
}

function isSpecifier(called: string): boolean {
  return /^(npm|jsr|https?|file|data):/.test(called);
}

async function fileUrl(called: string, directory: string): Promise<string> {
  if (!looksLikePath(called)) {
    const names = suggest(called, Object.keys(BUILT_IN));
    throw pluginError(called, `there is no built-in plugin of that name, ${names}`);
  }
  const path = resolve(directory, called);
  const stat = await Deno.stat(path).catch((cause) => {
    const missing = cause instanceof Deno.errors.NotFound;
    const reason = missing ? `${path} does not exist` : `cannot open ${path}: ${messageOf(cause)}`;
    throw pluginError(called, reason, cause);
  });
  if (!stat.isFile) throw pluginError(called, `${path} is not a file`);
  return pathToFileURL(path).href;
}

function looksLikePath(called: string): boolean {
  return /[/\\]|\.[cm]?[jt]sx?$/.test(called);
}

function defaultOf(module: PluginModule, called: string): unknown {
  if (!("default" in module)) throw pluginError(called, "it has no default export");
  return module.default;
}

function uniqueName(name: string, taken: readonly string[]): string {
  let unique = name;
  for (let number = 2; taken.includes(unique); number++) unique = `${name}-${number}`;
  return unique;
}

async function closeQuietly(
  plugin: RunningPlugin,
  { loggerFor = pluginLogger }: LoadPluginsOptions,
): Promise<void> {
  try {
    await plugin.close();
  } catch (error) {
    loggerFor(plugin.name).warn(`Cannot close the plugin: ${tellFailure(error)}`);
  }
}

function pluginLogger(name: string): PluginLogger {
  return plainLogger(["feedsync", "plugin", name]);
}
