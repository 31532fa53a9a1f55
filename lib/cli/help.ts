/**
 * Help texts, generated from the definitions of the commands.
 *
 * @module
 */
import { type Command, COMMON_FLAGS, type Flags, type Operand } from "./command.ts";
import { COMMANDS } from "./commands.ts";

/** Maximum width of the texts, in columns. */
const WIDTH = 100;

/** A term and what it means. */
type Row = readonly [term: string, meaning: string];

const VARIABLES =
  'Each scalar key of the configuration has an environment variable: FEEDSYNC_STORE for "store", ' +
  'FEEDSYNC_S3_ENDPOINT for "s3.endpoint". Flags override variables, variables override the file.';

const EXIT_CODES =
  "Exit codes: 0 done, 1 something needs a person (status, check --strict, dead letters or gaps of watch --once …), " +
  "64 wrong usage, 65 bad input, 69 store or backend unreachable, 70 failed unexpectedly, " +
  "75 queued but not yet uploaded, 77 access denied, 78 bad configuration, 129, 130 or 143 stopped by " +
  "a signal with work left undone";

/** The help text of feedsync. */
export function mainHelp(): string {
  return [
    "feedsync keeps the servers of a feed aggregator in step through an S3-compatible bucket",
    "Usage: feedsync <command> [flags]",
    `Commands:\n${table(COMMANDS.map(({ name, summary }) => [name, summary]))}`,
    "feedsync help <command> explains one. feedsync --version prints the version.",
  ].join("\n\n");
}

/** The help text of a command. */
export function helpFor(command: Command): string {
  const { name, description, usage, operands = [], flags = {}, notes = [] } = command;
  const forms = usage.map((form) => ["feedsync", name, form, "[flags]"].filter(Boolean).join(" "));
  const rows = [...operands.flatMap(operandRows), ...flagRows(flags)];
  return [
    description,
    columns(forms.map((form, index) => [index === 0 ? "Usage:" : "", form]), "Usage: ".length),
    ...rows.length > 0 ? [table(rows)] : [],
    ...notes.map((note) => wrap(note, WIDTH)),
    `Flags of all commands:\n${table(flagRows(COMMON_FLAGS))}`,
    wrap(VARIABLES, WIDTH),
    wrap(EXIT_CODES, WIDTH),
  ].join("\n\n");
}

/** The table of commands in the README. */
export function commandTable(): string {
  const rows = COMMANDS.map(({ name, usage, summary }) => {
    const forms = usage.map((form) => `\`${`${name} ${form}`.trim().replaceAll("|", "\\|")}\``);
    return `| ${forms.join("<br>")} | ${summary} |`;
  });
  return ["| command | does |", "|---|---|", ...rows].join("\n");
}

function operandRows({ name, choices, help = "" }: Operand): Row[] {
  return choices ? Object.entries(choices) : [[name, help]];
}

function flagRows(flags: Flags): Row[] {
  return Object.entries(flags).map(([name, { short, value, help }]) => {
    const names = short ? `-${short}, --${name}` : `--${name}`;
    return [value ? `${names} ${value}` : names, help];
  });
}

function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([term]) => term.length)) + 4;
  return columns(rows.map(([term, meaning]) => [`  ${term}`, meaning]), width);
}

/** Two columns, the first `width` wide. */
function columns(rows: readonly Row[], width: number): string {
  return rows.map(([left, right]) => {
    const text = wrap(right, WIDTH - width).replaceAll("\n", `\n${" ".repeat(width)}`);
    return left.padEnd(width) + text;
  }).join("\n");
}

/** Breaks a paragraph into lines of at most `width` characters. */
function wrap(text: string, width: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (line.length <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines.join("\n");
}
