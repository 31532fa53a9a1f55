/**
 * What a command is made of. Its definition says all that help, completions, the README and the parser
 * of arguments need. What it does is in `run.ts` beside the definition, loaded when the command runs.
 *
 * @module
 */

/** A flag, `--name`, of a command. */
export interface Flag {
  /** What stands for its value in the help, such as `DIR`. @default it takes no value */
  readonly value?: string;
  /** The values it may have. @default any */
  readonly choices?: readonly string[];
  /** Whether it may be given several times. @default false */
  readonly repeated?: boolean;
  /** The letter that is short for it. @default none */
  readonly short?: string;
  /** What it does. */
  readonly help: string;
}

/** Flags by name, without dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** An argument without a flag. */
export interface Operand {
  /** What stands for it in the help, such as `FILE`. */
  readonly name: string;
  /** The values it may have, with what each means. @default any */
  readonly choices?: Readonly<Record<string, string>>;
  /** What it means. */
  readonly help?: string;
  /** Whether it must be given. @default false */
  readonly required?: boolean;
  /** Whether more of its kind may follow. @default false */
  readonly repeated?: boolean;
}

/** Which arguments a command takes. */
export interface Syntax {
  /** Those without a flag, in order. @default none */
  readonly operands?: readonly Operand[];
  /** Those with one, besides {@linkcode COMMON_FLAGS}. @default none */
  readonly flags?: Flags;
}

/** The definition of a command. */
export interface Command extends Syntax {
  /** How it is called. */
  readonly name: string;
  /** What it does, in a few words, for the list of all commands. */
  readonly summary: string;
  /** What it does, in a sentence, for its help. */
  readonly description: string;
  /** The forms it is used in, what stands behind its name. */
  readonly usage: readonly string[];
  /** Paragraphs at the end of its help. @default none */
  readonly notes?: readonly string[];
}

/** The arguments of a command. */
export class Arguments {
  /** Those without a flag. */
  readonly operands: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #switches: ReadonlySet<string>;

  /** Made by `parseArguments()`. */
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

  /** Whether `--name` is there. */
  has(name: string): boolean {
    return this.#switches.has(name);
  }
}

/** What a command works with. */
export interface CommandContext {
  /** What stands behind the command's name. */
  readonly args: Arguments;
  /** Aborted when the command must end early. */
  readonly signal: AbortSignal;
  /** Ends the command early, because of `reason`. */
  stop(reason: unknown): void;
}

/** What `run.ts` of a command exports. */
export interface CommandModule {
  /** Does what the command is for. */
  run(context: CommandContext): Promise<void>;
}

/** The flags that all commands take. */
export const COMMON_FLAGS: Flags = {
  config: {
    value: "FILE",
    help: 'configuration file; else feedsync.jsonc, feedsync.json, or the key "feedsync" of ' +
      "deno.json in the working directory",
  },
  server: { value: "NAME", help: "name of this server (default: the host name)" },
  store: { value: "URL", help: "s3://bucket/prefix or file:path (default: file:.feedsync/store)" },
  state: { value: "FILE", help: "state file (default: .feedsync/<server>.db)" },
  json: { help: "results and errors as JSON, a line each" },
  verbose: { short: "v", help: "log details" },
  quiet: { short: "q", help: "log warnings and errors only" },
};

/** All flags of a command. */
export function allFlags({ flags }: Syntax): Flags {
  return { ...flags, ...COMMON_FLAGS };
}
