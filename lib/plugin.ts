/**
 * Plugins: what is done with updates. A plugin is a module whose default export is made with
 * {@linkcode definePlugin}.
 *
 * @module
 */
import type { KnownFiles } from "./known_files.ts";
import type { Gap, Update } from "./update.ts";

/**
 * Validates options; a zod schema is one. `Input` is what users write, `Options` what the plugin gets:
 * with defaults filled in.
 */
export interface OptionsSchema<Options, Input = unknown> {
  /** Returns the options with defaults filled in, or throws an error that says what is wrong. */
  parse(value: unknown): Options;
  /** What tells the type of `Input`, as schemas have it that follow https://standardschema.dev. */
  readonly "~standard"?: {
    /** There are types only, no values. */
    readonly types?: { readonly input: Input } | undefined;
  } | undefined;
}

/** Where a plugin may write what it has to say; goes to standard error. */
export interface PluginLogger {
  /** For details. */
  debug(message: string): void;
  /** For what a user wants to see. */
  info(message: string): void;
  /** For what a user should look at. */
  warn(message: string): void;
  /** For what failed. */
  error(message: string): void;
}

/** What `setup` receives. */
export interface SetupContext<Options> {
  /** The validated options. */
  readonly options: Options;
  /** Name of this server. */
  readonly server: string;
  /** Absolute path that relative paths in the options start from: the configuration's directory. */
  readonly directory: string;
  /** The plugin's log. */
  readonly logger: PluginLogger;
  /** What the server has seen in feed files, for plugins that write some; absent without a state. */
  readonly files?: KnownFiles;
  /**
   * Whether the last watcher with the server's state had a plugin of this name: what that applied is not
   * handed over again.
   */
  readonly wasUsed?: boolean;
}

/** What `onUpdate` and `onGap` receive besides the update or gap. */
export interface CallContext<Options, State> extends SetupContext<Options> {
  /** What `setup` returned. */
  readonly state: State;
  /** Aborted when the call takes longer than `callbackTimeout`. Pass it on to all I/O. */
  readonly signal: AbortSignal;
}

/**
 * A plugin: hooks around the updates that arrive. Options and state are typed from the schema and
 * from what `setup` returns; `Input` is the type of the options as users write them.
 */
export interface Plugin<Options, State, Input = unknown> {
  /** Short name, used in logs and dead letters. */
  readonly name: string;
  /** Validates the options; without it the plugin takes none. */
  readonly options?: OptionsSchema<Options, Input> | undefined;
  /**
   * Called before the first update, again only after it threw {@linkcode BackendUnavailableError}. What it
   * returns is passed to the other hooks.
   */
  setup?(context: SetupContext<Options>): State | Promise<State>;
  /**
   * Called for each update: in order per stream, one at a time per URL. Throw to have it tried
   * again; throw {@linkcode RejectedUpdateError} to refuse it for good, and
   * {@linkcode BackendUnavailableError} to have reading wait until it can be applied. It may be called
   * again for the same `update.id` after a crash.
   */
  onUpdate(update: Update, context: CallContext<Options, State>): void | Promise<void>;
  /** Called when updates were lost before this server saw them. */
  onGap?(gap: Gap, context: CallContext<Options, State>): void | Promise<void>;
  /** Called once at the end, after all calls have finished. */
  close?(context: { readonly state: State }): void | Promise<void>;
}

/** Any plugin that takes these options, and `undefined` when it takes none. */
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
 * Types a plugin end to end; returns it unchanged. It is used by its path in a configuration file, or
 * handed to {@linkcode connect} or {@linkcode watch} in a program.
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
 * import { z } from "zod";
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
  /** Its name. */
  readonly name: string;
  /** Hands it one update. */
  onUpdate(update: Update, signal: AbortSignal): void | Promise<void>;
  /** Tells it of a gap. */
  onGap(gap: Gap, signal: AbortSignal): void | Promise<void>;
  /** Closes it. */
  close(): Promise<void>;
}

/** A plugin that needs no setup and does nothing but what `hooks` do. */
export function runningPlugin(
  name: string,
  hooks: Partial<Pick<RunningPlugin, "onUpdate" | "onGap">>,
): RunningPlugin {
  return { onUpdate() {}, onGap() {}, close: () => Promise.resolve(), ...hooks, name };
}

/**
 * Receives one update. Throw to have it tried again, at most three times: then it is kept as a dead
 * letter, and counts as `failed` in {@linkcode PollReport}. Throw {@linkcode BackendUnavailableError} to
 * have reading wait until it can be applied, for an hour at most, and {@linkcode RejectedUpdateError} to refuse it for good.
 */
export type UpdateCallback = (
  update: Update,
  context: {
    /** Aborted when the call takes longer than `callbackTimeout`. */
    readonly signal: AbortSignal;
  },
) => void | Promise<void>;

/** The plugin that hands updates to a callback. */
export function callbackPlugin(callback: UpdateCallback): RunningPlugin {
  return runningPlugin("callback", { onUpdate: (update, signal) => callback(update, { signal }) });
}

/** What a plugin is set up with, apart from its options. */
export type PluginHost = Omit<SetupContext<unknown>, "options">;

/** Validates `options`, sets the plugin up and returns it ready for calls. */
export async function startPlugin<Options, State>(
  plugin: Plugin<Options, State>,
  options: unknown,
  host: PluginHost,
): Promise<RunningPlugin> {
  const context = { ...host, options: plugin.options?.parse(options ?? {}) as Options };
  const state = await plugin.setup?.(context) as State;
  return {
    name: plugin.name,
    onUpdate: (update, signal) => plugin.onUpdate(update, { ...context, state, signal }),
    onGap: (gap, signal) => plugin.onGap?.(gap, { ...context, state, signal }),
    close: async () => await plugin.close?.({ state }),
  };
}

/**
 * A plugin, by the name of a built-in one, a path relative to the configuration file, or an `npm:`,
 * `jsr:`, `https:` or `file:` specifier; with options as a pair. In a program also the plugin itself.
 */
export type PluginEntry<Input = unknown> =
  | string
  | readonly [plugin: string, options?: Readonly<Record<string, unknown>> | undefined]
  | PluginUse<Input>;

/** Several plugins, each with options that it takes as far as that is known before it is loaded. */
export type PluginEntries<Inputs extends readonly unknown[] = readonly unknown[]> = {
  readonly [Index in keyof Inputs]: PluginEntry<Inputs[Index]>;
};
