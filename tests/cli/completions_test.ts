import assert from "node:assert/strict";
import { allFlags } from "../../lib/cli/command.ts";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { PRICES } from "../../lib/cli/cost/prices.ts";
import { feedsync, workspace } from "./feedsync.ts";

/** The script of a shell. */
async function scriptFor(shell: string): Promise<string> {
  await using directory = await workspace();
  const { code, stdout, stderr } = await feedsync(["completions", shell], { cwd: directory.path });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** What bash proposes for the last of these words. */
async function proposals(script: string, ...words: string[]): Promise<string[]> {
  const line = words.map((word) => `'${word}'`).join(" ");
  const { stdout, stderr, success } = await new Deno.Command("bash", {
    args: [
      "-c",
      `${script}\nCOMP_WORDS=(${line})\nCOMP_CWORD=${words.length - 1}\n_feedsync\n` +
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ],
  }).output();
  const text = new TextDecoder();
  assert.ok(success, text.decode(stderr));
  return text.decode(stdout).split("\n").filter((word) => word !== "");
}

Deno.test("bash completes commands, their flags, and values that are known", async () => {
  const script = await scriptFor("bash");
  const names = COMMANDS.map(({ name }) => name);
  assert.deepEqual(await proposals(script, "feedsync", ""), [...names, "help"]);
  assert.deepEqual(await proposals(script, "feedsync", "cl"), ["cleanup"]);
  assert.deepEqual(await proposals(script, "feedsync", "co"), ["cost", "completions"]);
  assert.deepEqual(await proposals(script, "feedsync", "checked", "--scope", ""), [
    "url",
    "host",
    "domain",
  ]);
  assert.deepEqual(await proposals(script, "feedsync", "help", "ta"), ["tail"]);
  assert.deepEqual(await proposals(script, "feedsync", "watch", "--re"), ["--remove-missing"]);
  assert.deepEqual(await proposals(script, "feedsync", "tail", "--from", ""), ["earliest", "now"]);
  assert.deepEqual(await proposals(script, "feedsync", "tail", "--config", ""), []);
  assert.deepEqual(await proposals(script, "feedsync", "dead-letters", "r"), ["retry"]);
});

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`the script for ${shell} has every command and flag`, async () => {
    const script = await scriptFor(shell);
    for (const command of COMMANDS) {
      assert.ok(script.includes(command.name), command.name);
      for (const flag of Object.keys(allFlags(command))) {
        assert.ok(script.includes(shell === "fish" ? `-l ${flag} ` : `--${flag}`), flag);
      }
    }
  });
}

Deno.test("an unknown shell is answered with the nearest", async () => {
  await using directory = await workspace();
  const { code, stderr } = await feedsync(["completions", "fihs"], { cwd: directory.path });
  assert.equal(code, 64);
  assert.equal(stderr, 'error: Unknown shell "fihs", did you mean "fish"?\n');
});

Deno.test("the providers that cost names are those whose prices it knows", () => {
  const { flags } = COMMANDS.find(({ name }) => name === "cost")!;
  assert.deepEqual(flags?.provider.choices, Object.keys(PRICES));
});
