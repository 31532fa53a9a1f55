/**
 * `feedsync completions`: prints scripts for completing commands and flags in a shell.
 *
 * @module
 */
import { suggest } from "../../base/nearest.ts";
import { allFlags, type Command, type CommandContext, type Flag } from "../command.ts";
import { COMMANDS } from "../commands.ts";
import { UsageError } from "../exit.ts";
import { print } from "../output.ts";

const SHELLS: Readonly<Record<string, () => string>> = { bash, zsh, fish };

/** Prints the script for the shell in the operand. */
export async function run({ args }: CommandContext): Promise<void> {
  const [shell] = args.operands;
  if (!Object.hasOwn(SHELLS, shell)) {
    throw new UsageError(`Unknown shell "${shell}", ${suggest(shell, Object.keys(SHELLS))}`);
  }
  for (const line of SHELLS[shell]().split("\n")) await print(line);
}

function bash(): string {
  const commands = COMMANDS.map((command) => {
    const words = [
      ...wordsOf(command),
      ...Object.keys(allFlags(command)).map((name) => `--${name}`),
    ];
    return `    ${command.name}) words="${words.join(" ")}" ;;`;
  });
  return `_feedsync() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} words=
  case \${COMP_WORDS[1]} in
${commands.join("\n")}
  esac
  [ "$COMP_CWORD" = 1 ] && words="${[...names(), "help"].join(" ")}"
  [ "$COMP_CWORD" = 2 ] && [ "\${COMP_WORDS[1]}" = help ] && words="${names().join(" ")}"
  case $previous in
${valueFlags().map(([name, flag]) => `    --${name}) words="${choicesOf(flag)}" ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _feedsync feedsync`;
}

function zsh(): string {
  const commands = COMMANDS.map((command) => {
    const flags = Object.entries(allFlags(command)).map(([name, flag]) => {
      const value = flag.value === undefined ? "" : `:${zshText(flag.value)}:${zshAction(flag)}`;
      return `'${flag.repeated ? "*" : ""}--${name}[${zshText(flag.help)}]${value}'`;
    });
    const words = wordsOf(command);
    const operand = `'*:argument:${words.length > 0 ? `(${words.join(" ")})` : "_files"}'`;
    return `    ${command.name}) _arguments ${[...flags, operand].join(" ")} ;;`;
  });
  const described = COMMANDS.map(({ name, summary }) => `'${name}:${zshText(summary)}'`);
  return `_feedsync() {
  local -a commands=(${described.join(" ")} 'help:explain a command')
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
    help) _describe command commands ;;
${commands.join("\n")}
  esac
}
compdef _feedsync feedsync`;
}

function zshAction({ choices }: Flag): string {
  return choices ? `(${choices.join(" ")})` : "_files";
}

/** Escapes characters that end quotes and specifications in zsh. */
function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replace(/[[\]:]/g, "\\$&");
}

function fish(): string {
  const lines = COMMANDS.flatMap((command) => {
    const { name, summary } = command;
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    const flags = Object.entries(allFlags(command)).map(([flag, { short, value, choices, help }]) =>
      [
        `complete -c feedsync ${seen} -l ${flag}`,
        ...short ? [`-s ${short}`] : [],
        ...value === undefined ? [] : ["-r"],
        ...choices ? [`-a ${fishText(choices.join(" "))}`] : [],
        `-d ${fishText(help)}`,
      ].join(" ")
    );
    const words = wordsOf(command).map((word) => `complete -c feedsync ${seen} -a ${word}`);
    return [
      `complete -c feedsync -n __fish_use_subcommand -f -a ${name} -d ${fishText(summary)}`,
      ...flags,
      ...words,
    ];
  });
  return [
    ...lines,
    "complete -c feedsync -n __fish_use_subcommand -f -a help -d 'explain a command'",
    `complete -c feedsync -n '__fish_seen_subcommand_from help' -f -a '${names().join(" ")}'`,
  ].join("\n");
}

function fishText(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

function names(): string[] {
  return COMMANDS.map(({ name }) => name);
}

/** The values of the first operand, if they are fixed. */
function wordsOf({ operands = [] }: Command): string[] {
  return Object.keys(operands[0]?.choices ?? {});
}

/** All flags with a value, of all commands. */
function valueFlags(): [string, Flag][] {
  const all = Object.assign({}, ...COMMANDS.map(allFlags)) as Record<string, Flag>;
  return Object.entries(all).filter(([, { value }]) => value !== undefined);
}

function choicesOf({ choices = [] }: Flag): string {
  return choices.join(" ");
}
