import assert from "node:assert/strict";
import { parseArguments } from "../../lib/cli/args.ts";
import { allFlags, type Syntax } from "../../lib/cli/command.ts";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { feedsync, workspace } from "./feedsync.ts";

/** What a form is answered with; undefined: it is accepted. */
type Answer = RegExp | undefined;

/** Forms of a switch, here called `--x`. */
const SWITCH_FORMS: readonly [form: readonly string[], answer: Answer][] = [
  [["--x"], undefined],
  [["--x", "operand"], undefined],
  [["--x", "--", "true"], undefined],
  [["--x="], /^The flag --x takes no value, but has "": write --x, or leave it out$/],
  [["--x=1"], /^The flag --x takes no value, but has "1"/],
  [["--x=true"], /^The flag --x takes no value/],
  [["--x=false"], /^The flag --x takes no value/],
  [["--x=--x"], /^The flag --x takes no value/],
  [["--x", "true"], /^The flag --x takes no value, but true follows it: .* write \.\/true$/],
  [["--x", "false"], /^The flag --x takes no value, but false follows it/],
  [["--no-x"], /^Unknown flag --no-x: leave out --x instead$/],
  [["--no-x="], /^Unknown flag --no-x: leave out --x/],
  [["--no-x=1"], /^Unknown flag --no-x: leave out --x/],
  [["--no-x=false"], /^Unknown flag --no-x: leave out --x/],
  [["--no-no-x"], /^Unknown flag --no-no-x, /],
  [["-x"], /^Unknown flag -x/],
  [["---x"], /^Unknown flag ---x, /],
  [["--x.y"], /^Unknown flag --x\.y, /],
  [["--x-y=1"], /^Unknown flag --x-y, /],
  [["--X"], /^Unknown flag --X, /],
  [["-=--x"], /^Unknown flag -, /],
];

/** Forms of a flag with a value, here called `--x`. */
const VALUE_FORMS: readonly [form: readonly string[], answer: Answer][] = [
  [["--x", "value"], undefined],
  [["--x=value"], undefined],
  [["--x", "true"], undefined],
  [["--x==value"], undefined],
  [["--x=--value"], undefined],
  [["--x=5"], undefined],
  [["--x"], /^The flag --x needs a value: write --x=VALUE$/],
  [["--x="], /^The flag --x needs a value: write --x=VALUE$/],
  [["--x=", "value"], /^The flag --x needs a value/],
  [["--x", ""], /^The flag --x needs a value/],
  [["--x", "-"], /^The flag --x needs a value, and - looks like a flag: write --x=VALUE$/],
  [["--x", "--json"], /^The flag --x needs a value, and --json looks like a flag/],
  [["--x", "-v"], /^The flag --x needs a value, and -v looks like a flag/],
  [["--x", "--", "value"], /^The flag --x needs a value/],
  [["--no-x"], /^Unknown flag --no-x, /],
  [["--no-x=value"], /^Unknown flag --no-x, /],
  [["---x=value"], /^Unknown flag ---x, /],
  [["--x.y=value"], /^Unknown flag --x\.y, /],
];

/** Forms of letters and others, whatever the command. */
const OTHER_FORMS: readonly [form: readonly string[], answer: Answer][] = [
  [["-v"], undefined],
  [["-vv"], undefined],
  [["-q", "operand"], undefined],
  [["--", "--nothing", "-x"], undefined],
  [["-v=1"], /^The flag -v takes no value, but has "1"/],
  [["-q="], /^The flag -q takes no value/],
  [["-v", "false"], /^The flag -v takes no value, but false follows it/],
  [["-v5"], /^Unknown flag -v5, /],
  [["-vx"], /^Unknown flag -vx, /],
  [["-xv"], /^Unknown flag -xv, /],
  [["-5"], /^Unknown flag -5, /],
  [["--=1"], /^Unknown flag --, /],
  [["--v"], /^Unknown flag --v, /],
  [["--__proto__=1"], /^Unknown flag --__proto__, /],
  [["--constructor"], /^Unknown flag --constructor, /],
  [["\u2014once"], undefined],
];

function problemOf(args: readonly string[], syntax: Syntax): string | undefined {
  try {
    parseArguments(args, syntax);
  } catch (error) {
    assert.equal((error as Error).name, "UsageError", String(error));
    return (error as Error).message;
  }
}

/** Tries the forms with the name of a flag in place of `x`. */
function check(
  name: string,
  forms: readonly (readonly [readonly string[], Answer])[],
  syntax: Syntax,
): void {
  const named = (text: string) => text.replace(/^(-*(?:no-)*)x(?=$|[-=.])/, `$1${name}`);
  // Any number of operands will do here, so that only flags are told.
  const lenient = { ...syntax, operands: [{ name: "ANY", repeated: true }] };
  for (const [form, answer] of forms) {
    const args = form[0] === "-x" || form[0] === "--X" ? form : form.map(named);
    const problem = problemOf(args, lenient);
    if (answer === undefined) assert.equal(problem, undefined, args.join(" "));
    else {
      const expected = new RegExp(
        answer.source.replaceAll(
          /(-+(?:no-)*)x(?![a-z])/g,
          (text, dashes) => form[0] === "-x" ? text : `${dashes}${name}`,
        ),
      );
      assert.match(problem ?? "accepted", expected, args.join(" "));
    }
  }
}

for (const command of COMMANDS) {
  Deno.test(`${command.name} has no flag that an odd form sets, or misreads`, () => {
    for (const [name, { value }] of Object.entries(allFlags(command))) {
      check(name, value === undefined ? SWITCH_FORMS : VALUE_FORMS, command);
    }
    check("x", OTHER_FORMS, command);
  });
}

Deno.test("values reach the command as they are written", () => {
  const syntax: Syntax = {
    flags: {
      metadata: { value: "K=V", repeated: true, help: "" },
      from: { value: "WHERE", help: "" },
    },
    operands: [{ name: "FILE", repeated: true }],
  };
  const args = parseArguments(
    ["--metadata==b", "--metadata", "a=true", "--from=-5", "-", "--metadata=007", "--", "-x"],
    syntax,
  );
  assert.deepEqual(args.list("metadata"), ["=b", "a=true", "007"]);
  assert.equal(args.value("from"), "-5");
  assert.deepEqual(args.operands, ["-", "-x"]);
});

Deno.test("a malformed flag ends every command with 64, before anything is done", async () => {
  await using directory = await workspace({ "feedsync.json": '{"store":"file:store"}' });
  const lines = [
    ["publish", "https://example.com/feed", "--no-remove=1"],
    ["publish", "https://example.com/feed", "--remove=false"],
    ["watch", "--once="],
    ["tail", "--once", "--no-json=1"],
    ["cleanup", "--max-age=", "1h"],
    ["dead-letters", "drop", "--no-all=1"],
    ["keygen", "keys.json", "--no-add=1"],
    ["cost", "--servers=", "3"],
    ["demo", "--no-quiet=1"],
  ];
  const outcomes = await Promise.all(
    lines.map((line) => feedsync(line, { cwd: directory.path, stdin: "<rss/>" })),
  );
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    assert.equal(code, 64, lines[index].join(" ") + stderr);
    assert.match(stderr, /^error: (Unknown flag|The flag) --/);
    assert.equal(stdout, "");
  }
  const left = await Array.fromAsync(Deno.readDir(directory.path));
  assert.deepEqual(left.map(({ name }) => name), ["feedsync.json"]);
});
