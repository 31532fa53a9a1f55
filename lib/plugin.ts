/**
 * Plugins: what is done with updates. A plugin is a module whose default export is made with
 * {@linkcode definePlugin}.
 *
 * @module
 */
import type { Gap, Update } from "./update.ts";

/** Validates options; a zod schema is one. */
export interface OptionsSchema<Options> {
  /** Returns the options with defaults filled in, or throws an error that says what is wrong. */
  parse(value: unknown): Options;
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
 * from what `setup` returns.
 */
export interface Plugin<Options, State> {
  /** Short name, used in logs and dead letters. */
  readonly name: string;
  /** Validates the options; without it the plugin takes none. */
  readonly options?: OptionsSchema<Options>;
  /** Called once, before the first update. What it returns is passed to the other hooks. */
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

/**
 * Types a plugin end to end; returns it unchanged.
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
 */
export function definePlugin<Options = undefined, State = undefined>(
  plugin: Plugin<Options, State>,
): Plugin<Options, State> {
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
