/**
 * The structure of a command. Its definition holds everything that help, completions, the README
 * and the parser need. Its code is in `run.ts` beside the definition and is loaded only when the
 * command runs.
 *
 * @module
 */

/** A flag, `--name`, of a command. */
export interface Flag {
  /** Placeholder of the value in the help, such as `DIR`. @default no value */
  readonly value?: string;
  /** Allowed values. @default any */
  readonly choices?: readonly string[];
  /** Whether the flag may be given several times. @default false */
  readonly repeated?: boolean;
  /** One-letter form. @default none */
  readonly short?: string;
  /** Description for the help. */
  readonly help: string;
}

/** Flags by name, without dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** An argument without a flag. */
export interface Operand {
  /** Placeholder in the help, such as `FILE`. */
  readonly name: string;
  /** Allowed values and their descriptions. @default any */
  readonly choices?: Readonly<Record<string, string>>;
  /** Description for the help. */
  readonly help?: string;
  /** Whether the operand is required. @default false */
  readonly required?: boolean;
  /** Whether it may be repeated. @default false */
  readonly repeated?: boolean;
}

/** The arguments that a command accepts. */
export interface Syntax {
  /** Operands, in order. @default none */
  readonly operands?: readonly Operand[];
  /** Flags besides {@linkcode COMMON_FLAGS}. @default none */
  readonly flags?: Flags;
}

/** The definition of a command. */
export interface Command extends Syntax {
  /** Name of the command. */
  readonly name: string;
  /** Short description for the list of commands. */
  readonly summary: string;
  /** Description in one sentence, for its help. */
  readonly description: string;
  /** Forms of usage, without the name. */
  readonly usage: readonly string[];
  /** Paragraphs at the end of its help. @default none */
  readonly notes?: readonly string[];
}

/** The parsed arguments of a command. */
export class Arguments {
  /** The operands. */
  readonly operands: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #switches: ReadonlySet<string>;

  /** Created by `parseArguments()`. */
  constructor(
    operands: readonly string[],
    values: ReadonlyMap<string, readonly string[]>,
    switches: ReadonlySet<string>,
  ) {
    this.operands = operands;
    this.#values = values;
    this.#switches = switches;
  }

  /** Value of the flag `--name`. */
  value(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  /** Values of a flag that may be given several times. */
  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Whether `--name` was given. */
  has(name: string): boolean {
    return this.#switches.has(name);
  }
}

/** The context of a command. */
export interface CommandContext {
  /** The parsed arguments. */
  readonly args: Arguments;
  /** Aborted when the command must end early. */
  readonly signal: AbortSignal;
  /** Ends the command early with `reason`. */
  stop(reason: unknown): void;
  /** Has SIGHUP call `reload` where no terminal can hang up. @default it ends the command */
  onHangup(reload: () => void): void;
}

/** The exports of the `run.ts` of a command. */
export interface CommandModule {
  /**
   * Runs the command. Resolves to its exit code, if that is neither 0 nor told by an error: then it
   * has ended as it should, even if a signal ended it.
   */
  run(context: CommandContext): Promise<number | void>;
}

/** The flags that all commands take. */
export const COMMON_FLAGS: Flags = {
  config: {
    value: "FILE",
    help: 'configuration file (default: feedsync.jsonc, feedsync.json, or the key "feedsync" of ' +
      "deno.json in the working directory)",
  },
  server: { value: "NAME", help: "name of this server (default: the host name)" },
  store: { value: "URL", help: "s3://bucket/prefix or file:path (default: file:.feedsync/store)" },
  state: { value: "FILE", help: "state file (default: .feedsync/<server>.db)" },
  json: { help: "print results and errors as JSON, one per line" },
  verbose: { short: "v", help: "log details" },
  quiet: { short: "q", help: "log warnings and errors only" },
};

/** All flags of a command. */
export function allFlags({ flags }: Syntax): Flags {
  return { ...flags, ...COMMON_FLAGS };
}
