/**
 * Loads the plugins, without setting them up.
 *
 * @module
 */
import { cutDownUrls } from "../base/redact.ts";
import { isPair } from "../plugins/check_plugin.ts";
import { findPlugin } from "../plugins/load_plugins.ts";
import type { PluginEntry } from "../plugin.ts";
import { type Finding, ok, wrong } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Checks that each plugin can be loaded, and takes its options. */
export async function* checkPlugins({ config }: Subject): AsyncIterable<Finding> {
  const { plugins, directory } = config;
  for (const entry of plugins) {
    try {
      await findPlugin(entry, { directory });
      yield ok(`The plugin ${cutDownUrls(nameOf(entry))} can be loaded with its options`);
    } catch (error) {
      yield wrong(error as Error);
    }
  }
}

function nameOf(entry: PluginEntry): string {
  const given = isPair(entry) ? entry[0] : entry;
  return typeof given === "string" ? given : given.name;
}
