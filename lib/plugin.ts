/**
 * Plugins, which receive the updates. A plugin is a module whose default export is made with
 * {@linkcode definePlugin}.
 *
 * @module
 */
import type { KnownFiles } from "./known_files.ts";
import type { Gap, Update } from "./update.ts";

/**
 * Validates options, for example a zod schema. `Input` is the type that users write, `Options` the
 * type that the plugin receives, with defaults filled in.
 */
export interface OptionsSchema<Options, Input = unknown> {
  /** Returns the options with defaults filled in, or throws an error with the reason. */
  parse(value: unknown): Options;
  /** Carries the type of `Input` in schemas that follow https://standardschema.dev. */
  readonly "~standard"?: {
    /** Only types, no values. */
    readonly types?: { readonly input: Input } | undefined;
  } | undefined;
}

/** The log of a plugin, which goes to standard error. */
export interface PluginLogger {
  /** Logs details. */
  debug(message: string): void;
  /** Logs information for users. */
  info(message: string): void;
  /** Logs a problem that users should look at. */
  warn(message: string): void;
  /** Logs a failure. */
  error(message: string): void;
}

/** The argument of `setup`. */
export interface SetupContext<Options> {
  /** The validated options. */
  readonly options: Options;
  /** Name of this server. */
  readonly server: string;
  /** Absolute path that relative paths in the options start from: the configuration's directory. */
  readonly directory: string;
  /** The plugin's log. */
  readonly logger: PluginLogger;
  /** Known feed files, for plugins that write such files; absent without a state. */
  readonly files?: KnownFiles;
  /**
   * Whether the last watcher with the server's state had a plugin of this name: updates that it
   * applied are not delivered again.
   */
  readonly wasUsed?: boolean;
}

/** The second argument of `onUpdate` and `onGap`. */
export interface CallContext<Options, State> extends SetupContext<Options> {
  /** The value that `setup` returned. */
  readonly state: State;
  /** Aborted when the call takes longer than `callbackTimeout`. Pass it to all I/O. */
  readonly signal: AbortSignal;
}

/**
 * A plugin: hooks for incoming updates. The schema determines the type of the options, the result
 * of `setup` that of the state; `Input` is the type of the options as users write them.
 */
export interface Plugin<Options, State, Input = unknown> {
  /** Short name, used in logs and dead letters. */
  readonly name: string;
  /** Validates the options; without it the plugin takes none. */
  readonly options?: OptionsSchema<Options, Input> | undefined;
  /**
   * Number of feeds of one publisher that may be handled at the same time. Above 1, `onUpdate` is
   * called in order per feed, not per stream, and after a crash repeatedly for so many updates of a
   * stream. @default 1
   */
  concurrency?(options: Options): number;
  /**
   * Called before the first update, and again only after it threw
   * {@linkcode BackendUnavailableError}. Its result is passed to the other hooks.
   */
  setup?(context: SetupContext<Options>): State | Promise<State>;
  /**
   * Called for each update: in order per stream unless `concurrency` says otherwise, one at a time
   * per URL. If it throws, the update is
   * retried. Throw {@linkcode RejectedUpdateError} to refuse the update permanently, and
   * {@linkcode BackendUnavailableError} to make reading wait until it can be applied. It may be
   * called again for the same `update.id` after a crash.
   */
  onUpdate(update: Update, context: CallContext<Options, State>): void | Promise<void>;
  /** Called when updates were lost before this server read them. */
  onGap?(gap: Gap, context: CallContext<Options, State>): void | Promise<void>;
  /** Called once at the end, after all other calls. */
  close?(context: { readonly state: State }): void | Promise<void>;
}

/** Any plugin with options of the type `Input`; `undefined` when it has none. */
export type AnyPlugin<Input = unknown> = Plugin<unknown, unknown, Input>;

/** A plugin that can be used without options. */
export type PlainPlugin<Input = unknown> =
  & AnyPlugin<Input>
  & (undefined extends Input ? unknown
    : Record<never, never> extends Input ? unknown
    : { readonly options: "required: use the pair [plugin, options]" });

/** A plugin as a program uses it: alone, or as a pair with its options. */
export type PluginUse<Input = unknown> =
  | PlainPlugin<Input>
  | readonly [plugin: AnyPlugin<Input>, options: NoInfer<Input>];

/**
 * Types a plugin and returns it unchanged. Configuration files refer to a plugin by its path;
 * programs pass it to {@linkcode connect} or {@linkcode watch}.
 *
 * @example A plugin with options and state
 * ```ts
 * import { definePlugin } from "@feedsync/feedsync";
 *
 * export default definePlugin({
 *   name: "counter",
 *   setup: () => ({ seen: 0 }),
 *   onUpdate(update, { state, logger }) {
 *     state.seen++;
 *     logger.info(`${state.seen}: ${update.url}`);
 *   },
 * });
 * ```
 *
 * @example Used in a program
 * ```ts
 * import { connect, definePlugin, watch } from "@feedsync/feedsync";
 * import * as z from "zod";
 *
 * const counter = definePlugin({
 *   name: "counter",
 *   options: z.strictObject({ label: z.string().default("seen") }),
 *   setup: () => ({ seen: 0 }),
 *   onUpdate: (_update, { options, state }) => console.log(options.label, ++state.seen),
 * });
 * await using sync = await connect({ store: `file:${await Deno.makeTempDir()}` });
 * await using watcher = watch(sync, [[counter, { label: "updates" }]], { manual: true });
 * await watcher.poll();
 * ```
 */
export function definePlugin<
  Options = undefined,
  State = undefined,
  Input = [Options] extends [undefined] ? undefined : Partial<Options>,
>(plugin: Plugin<Options, State, Input>): Plugin<Options, State, Input> {
  return plugin;
}

/** A plugin that is set up and ready for calls. */
export interface RunningPlugin {
  /** Name of the plugin. */
  readonly name: string;
  /** See {@linkcode Plugin.concurrency}. @default 1 */
  readonly concurrency?: number | undefined;
  /** Delivers an update. */
  onUpdate(update: Update, signal: AbortSignal): void | Promise<void>;
  /** Reports a gap. */
  onGap(gap: Gap, signal: AbortSignal): void | Promise<void>;
  /** Closes the plugin. */
  close(): Promise<void>;
}

/** Makes a plugin from hooks, without setup. */
export function runningPlugin(
  name: string,
  hooks: Partial<Pick<RunningPlugin, "onUpdate" | "onGap">>,
): RunningPlugin {
  return { onUpdate() {}, onGap() {}, close: () => Promise.resolve(), ...hooks, name };
}

/**
 * Receives one update. If it throws, the update is retried at most three times, then stored as a
 * dead letter and counted as `failed` in {@linkcode PollReport}. Throw
 * {@linkcode BackendUnavailableError} to make reading wait until the update can be applied, for an
 * hour at most, and {@linkcode RejectedUpdateError} to refuse it permanently.
 */
export type UpdateCallback = (
  update: Update,
  context: {
    /** Aborted when the call takes longer than `callbackTimeout`. */
    readonly signal: AbortSignal;
  },
) => void | Promise<void>;

/** Makes a plugin that passes updates to a callback. */
export function callbackPlugin(callback: UpdateCallback): RunningPlugin {
  return runningPlugin("callback", { onUpdate: (update, signal) => callback(update, { signal }) });
}

/** The context of a plugin without its options. */
export type PluginHost = Omit<SetupContext<unknown>, "options">;

/** Validates `options`, sets up the plugin and returns it ready for calls. */
export async function startPlugin<Options, State>(
  plugin: Plugin<Options, State>,
  options: unknown,
  host: PluginHost,
): Promise<RunningPlugin> {
  const context = { ...host, options: plugin.options?.parse(options ?? {}) as Options };
  const state = await plugin.setup?.(context) as State;
  return {
    name: plugin.name,
    concurrency: plugin.concurrency?.(context.options),
    onUpdate: (update, signal) => plugin.onUpdate(update, { ...context, state, signal }),
    onGap: (gap, signal) => plugin.onGap?.(gap, { ...context, state, signal }),
    close: async () => await plugin.close?.({ state }),
  };
}

/**
 * A reference to a plugin: the name of a built-in one, a path relative to the configuration file,
 * or an `npm:`, `jsr:`, `https:` or `file:` specifier; with options as a pair. In a program also
 * the plugin itself.
 */
export type PluginEntry<Input = unknown> =
  | string
  | readonly [plugin: string, options?: Readonly<Record<string, unknown>> | undefined]
  | PluginUse<Input>;

/** Several plugins; the options are typed if the plugin is given as an object. */
export type PluginEntries<Inputs extends readonly unknown[] = readonly unknown[]> = {
  readonly [Index in keyof Inputs]: PluginEntry<Inputs[Index]>;
};
