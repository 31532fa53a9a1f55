/**
 * Stands in for `@std/cli/parse-args` where JSR cannot be reached: the same options and results,
 * but for names with dots, which are not taken apart.
 *
 * @module
 */
import { declare, type Names } from "./declarations.ts";
import { Parser } from "./parser.ts";

/** What the arguments may be. */
export interface ParseOptions<
  Booleans extends string = string,
  Strings extends string = string,
  Collected extends string = string,
  Negatable extends string = string,
  Defaults extends object = object,
  DoubleDash extends boolean = boolean,
> {
  /** Whether what stands behind `--` goes to `"--"` instead of `_`. @default {false} */
  readonly "--"?: DoubleDash;
  /** Other names of flags. */
  readonly alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Flags without a value, `false` when they are not there. `true`: all long ones without `=`. */
  readonly boolean?: boolean | Names<Booleans>;
  /** Flags whose values stay text even when they look like numbers. */
  readonly string?: Names<Strings>;
  /** Flags that may be given several times; the result is an array. */
  readonly collect?: Names<Collected>;
  /** Flags that `--no-NAME` sets to `false`. */
  readonly negatable?: Names<Negatable>;
  /** Values of flags that are not there. */
  readonly default?: Defaults;
  /** Whether all behind the first argument without a flag is left as it is. @default {false} */
  readonly stopEarly?: boolean;
  /** Called with what is not declared; when it returns `false`, that is left out. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type Single<Name, Booleans, Strings> = Name extends Booleans ? boolean
  : Name extends Strings ? string
  : unknown;

type Absent<Name, Booleans, Defaults> = Name extends keyof Defaults ? Defaults[Name]
  : Name extends Booleans ? never
  : undefined;

/** The arguments, by their names; those without a flag are in `_`. */
export type Args<
  Booleans extends string = string,
  Strings extends string = string,
  Collected extends string = string,
  Negatable extends string = string,
  Defaults extends object = object,
  DoubleDash extends boolean = boolean,
> =
  & {
    [Name in Exclude<Booleans | Strings | Collected, "_">]:
      | (Name extends Collected ? Single<Name, Booleans, Strings>[]
        : Single<Name, Booleans, Strings> | Absent<Name, Booleans, Defaults>)
      | (Name extends Negatable ? false : never);
  }
  & { [name: string]: unknown; _: (string | number)[] }
  & (DoubleDash extends true ? { "--": string[] } : unknown);

/**
 * Takes the arguments of a command line apart: `--name`, `--name=value`, `--name value`, `-n`,
 * `-n value`, `-abc`, and everything else, which goes to `_` like what stands behind `--`. What
 * looks like a number becomes one unless it is declared as a string.
 */
export function parseArgs<
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Negatable extends string = never,
  Defaults extends object = Record<never, never>,
  DoubleDash extends boolean = false,
>(
  args: readonly string[],
  options: ParseOptions<Booleans, Strings, Collected, Negatable, Defaults, DoubleDash> = {},
): Args<Booleans, Strings, Collected, Negatable, Defaults, DoubleDash> {
  const dashes = args.indexOf("--");
  const behind = dashes === -1 ? [] : args.slice(dashes + 1);
  const parser = new Parser(declare(options), options);
  parser.read(dashes === -1 ? args : args.slice(0, dashes));
  parser.fill(options.default ?? {});
  const { operands } = parser;
  return {
    ...Object.fromEntries(parser.flags),
    ...options["--"] ? { _: operands, "--": behind } : { _: [...operands, ...behind] },
  } as Args<Booleans, Strings, Collected, Negatable, Defaults, DoubleDash>;
}
