/**
 * Checks plugins, and the options they are used with.
 *
 * @module
 */
import { cutDownUrls } from "../base/redact.ts";
import { ConfigError, messageOf } from "../errors.ts";
import type { AnyPlugin, PlainPlugin, PluginEntries, PluginEntry } from "../plugin.ts";

/**
 * Checks the plugins that a program passes, before any is set up. Those that are passed by name are
 * checked when they are loaded.
 *
 * @throws {ConfigError} when one is not a plugin, or its options are wrong.
 */
export function checkPlugins(given: PlainPlugin | PluginEntries): readonly PluginEntry[] {
  const entries: PluginEntries = Array.isArray(given) ? given : [given];
  for (const [index, entry] of entries.entries()) {
    const [plugin, options] = isPair(entry) ? entry : [entry];
    if (typeof plugin === "string") continue;
    // A value that is not a plugin is not shown: it may be options with secrets.
    const called = typeof plugin?.name === "string" ? plugin.name : `#${index + 1}`;
    checkOptions(checkPlugin(plugin, called), options, called);
  }
  return entries;
}

/** Whether a plugin comes with its options. */
export function isPair<Entry>(
  entry: Entry,
): entry is Extract<Entry, readonly [plugin: unknown, options?: unknown]> {
  return Array.isArray(entry);
}

/** Whether it is a plugin. */
export function isPlugin(value: unknown): value is AnyPlugin {
  return findProblem(value) === undefined;
}

/**
 * The same value, once it is known to be a plugin.
 *
 * @throws {ConfigError} when it is not a plugin.
 */
export function checkPlugin(value: unknown, called: string): AnyPlugin {
  const problem = findProblem(value);
  if (problem) throw pluginError(called, `it ${problem}; see definePlugin()`);
  return value as AnyPlugin;
}

/** What keeps `value` from being a plugin. */
function findProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "is not an object";
  const plugin = value as Record<string, unknown>;
  if (typeof plugin.name !== "string" || plugin.name === "") return "has no 'name'";
  if (typeof plugin.onUpdate !== "function") return "has no function 'onUpdate'";
  const hook = ["concurrency", "setup", "onGap", "close"].find((hook) =>
    plugin[hook] !== undefined && typeof plugin[hook] !== "function"
  );
  if (hook) return `has a '${hook}' that is not a function`;
  const schema = plugin.options as { parse?: unknown } | undefined;
  if (schema === undefined || typeof schema?.parse === "function") return undefined;
  return "has 'options' without a function 'parse'";
}

/**
 * Checks the options that a plugin is used with.
 *
 * @throws {ConfigError} when they are wrong.
 */
export function checkOptions(plugin: AnyPlugin, options: unknown, called: string): void {
  if (!plugin.options) {
    if (options === undefined) return;
    throw pluginError(called, "it takes no options");
  }
  try {
    plugin.options.parse(options ?? {});
  } catch (cause) {
    throw pluginError(called, `its options are wrong: ${explain(cause)}`, cause);
  }
}

/** The message of an error, that of a zod schema made readable: its `message` is JSON. */
function explain(error: unknown): string {
  const { issues } = error as { issues?: { path: PropertyKey[]; message: string }[] };
  if (!Array.isArray(issues)) return messageOf(error);
  return issues.map(({ path, message }) =>
    path.length === 0 ? message : `'${path.join(".")}': ${message}`
  ).join("; ");
}

/** The error that says why a plugin cannot be used. */
export function pluginError(called: string, reason: string, cause?: unknown): ConfigError {
  return new ConfigError(`Cannot use plugin '${cutDownUrls(called)}': ${reason}`, { cause });
}
