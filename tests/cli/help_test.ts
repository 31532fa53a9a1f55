import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import denoJson from "../../deno.json" with { type: "json" };
import { allFlags } from "../../lib/cli/command.ts";
import { COMMANDS, moduleOf } from "../../lib/cli/commands.ts";
import { commandTable, helpFor, mainHelp } from "../../lib/cli/help.ts";
import { feedsync, workspace } from "./feedsync.ts";

const ROOT = join(import.meta.dirname!, "..", "..");

Deno.test("help and version are printed to standard output with exit code 0", async () => {
  await using directory = await workspace();
  const cases: [string[], RegExp][] = [
    [[], /^feedsync keeps .*\n\nUsage: feedsync <command>/],
    [["--help"], /Usage: feedsync <command>/],
    [["help", "publish"], /Usage: feedsync publish URL \[FILE\|-\]/],
    [["tail", "--once", "--help"], /Usage: feedsync tail /],
    [["--version"], new RegExp(`^feedsync ${denoJson.version}\n$`)],
  ];
  const outcomes = await Promise.all(
    cases.map(([args]) => feedsync(args, { cwd: directory.path })),
  );
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    assert.match(stdout, cases[index][1]);
  }
});

Deno.test("the help of a command explains all its flags", () => {
  for (const command of COMMANDS) {
    for (const flag of Object.keys(allFlags(command))) {
      assert.match(helpFor(command), new RegExp(`\\n .*--${flag}\\b`), `${command.name} --${flag}`);
    }
  }
});

Deno.test("what the forms of a command name is explained, too", () => {
  for (const command of COMMANDS) {
    const { name, usage, operands = [] } = command;
    const flags = Object.keys(allFlags(command)).map((name) => `--${name}`);
    const words = operands.flatMap((
      operand,
    ) => [operand.name, ...Object.keys(operand.choices ?? {})]);
    for (const form of usage) {
      for (const [flag] of form.matchAll(/--[a-z-]+/g)) {
        assert.ok(flags.includes(flag), name + flag);
      }
      for (const [operand] of form.matchAll(/(?<![-\w|] ?)[A-Z]{2,}(?![=\w])/g)) {
        const isValue = new RegExp(`--[a-z-]+ ${operand}`).test(form);
        assert.ok(isValue || words.includes(operand), `${name} ${operand}`);
      }
    }
  }
});

Deno.test("help texts fit a terminal", () => {
  for (const text of [mainHelp(), ...COMMANDS.map(helpFor)]) {
    for (const line of text.split("\n")) assert.ok(line.length <= 100, line);
  }
});

Deno.test("the README lists the commands as they are defined", async () => {
  const readme = await Deno.readTextFile(join(ROOT, "README.md"));
  const listed = /<!-- commands -->\n(.*?)\n<!-- \/commands -->/s.exec(readme)?.[1];
  assert.equal(listed, commandTable(), `write between the marks:\n${commandTable()}`);
});

Deno.test("starting costs little: help needs the definitions of commands, and no package", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", join(ROOT, "cli.ts")],
    cwd: ROOT,
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string; kind: string }[];
  };
  const own = modules.map(({ specifier }) => specifier.replace(pathToFileURL(`${ROOT}/`).href, ""));
  const definitions = COMMANDS.map((command) => moduleOf(command).replace("run.ts", "command.ts"));
  assert.deepEqual(
    own.toSorted(),
    [
      "cli.ts",
      "deno.json",
      ...["args", "command", "commands", "exit", "flag_forms", "help", "main", "signals"]
        .map((name) => `lib/cli/${name}.ts`),
      ...definitions.map((path) => path.replace("./", "")),
      ...[
        "base/nearest",
        "base/printable",
        "base/redact",
        "base/version",
        "errors",
        "std/cli/parse_args",
      ]
        .map((name) => `lib/${name}.ts`),
    ].toSorted(),
  );
});
