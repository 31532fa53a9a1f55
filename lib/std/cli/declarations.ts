/**
 * What the options of `parseArgs` declare.
 *
 * @module
 */

/** One name, or several. */
export type Names<Name extends string> = Name | readonly Name[];

/** Names of flags, aliases included. */
export interface Declarations {
  /** For each name the others of the same flag. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  /** Flags without a value. */
  readonly booleans: ReadonlySet<string>;
  /** Whether all long flags are without a value. */
  readonly allBooleans: boolean;
  /** Flags whose values stay text. */
  readonly strings: ReadonlySet<string>;
  /** Flags that may be given several times. */
  readonly collected: ReadonlySet<string>;
  /** Flags that can be negated. */
  readonly negatable: ReadonlySet<string>;
}

/** Reads the declarations. */
export function declare(options: {
  readonly alias?: Readonly<Record<string, string | readonly string[]>>;
  readonly boolean?: boolean | Names<string>;
  readonly string?: Names<string>;
  readonly collect?: Names<string>;
  readonly negatable?: Names<string>;
}): Declarations {
  const { boolean = [], string = [], collect = [], negatable = [] } = options;
  const aliases = groupAliases(options.alias ?? {});
  const all = (names: Names<string>) =>
    new Set([names].flat().flatMap((name) => [name, ...aliases.get(name) ?? []]));
  return {
    aliases,
    booleans: all(typeof boolean === "boolean" ? [] : boolean),
    allBooleans: boolean === true,
    strings: all(string),
    collected: all(collect),
    negatable: all(negatable),
  };
}

function groupAliases(
  alias: Readonly<Record<string, string | readonly string[]>>,
): Map<string, readonly string[]> {
  const groups = Object.entries(alias).map(([name, others]) => [name, ...[others].flat()]);
  return new Map(
    groups.flatMap((group) =>
      group.map((name) => [name, group.filter((other) => other !== name)] as const)
    ),
  );
}
