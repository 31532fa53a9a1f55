import assert from "node:assert/strict";
import { join } from "node:path";
import denoJson from "../../deno.json" with { type: "json" };
import { helpFor } from "../../lib/cli/help.ts";
import * as cleanup from "../../lib/cli/cleanup.ts";
import * as deadLetters from "../../lib/cli/dead_letters.ts";
import * as keygen from "../../lib/cli/keygen.ts";
import * as publish from "../../lib/cli/publish.ts";
import * as tail from "../../lib/cli/tail.ts";
import * as watch from "../../lib/cli/watch.ts";
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
  const commands = { cleanup, "dead-letters": deadLetters, keygen, publish, tail, watch };
  for (const [name, { syntax }] of Object.entries(commands)) {
    const flags = [...syntax.values ?? [], ...syntax.lists ?? [], ...syntax.switches ?? []];
    for (
      const flag of [...flags, "config", "server", "store", "state", "json", "verbose", "quiet"]
    ) {
      assert.match(helpFor(name)!, new RegExp(`\\n .*--${flag}\\b`), `${name} --${flag}`);
    }
  }
});

Deno.test("help texts fit a terminal", () => {
  for (
    const name of [
      undefined,
      "watch",
      "publish",
      "tail",
      "cleanup",
      "dead-letters",
      "keygen",
      "demo",
    ]
  ) {
    for (const line of helpFor(name)!.split("\n")) assert.ok(line.length <= 100, line);
  }
});

Deno.test("starting costs nothing: cli.ts needs two small modules until a command runs", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", join(ROOT, "cli.ts")],
    cwd: ROOT,
  }).output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    roots: string[];
    modules: {
      specifier: string;
      size: number;
      dependencies?: { isDynamic?: boolean; code?: { specifier: string } }[];
    }[];
  };
  const needed = new Set(roots);
  for (const specifier of needed) {
    const module = modules.find((module) => module.specifier === specifier)!;
    for (const { isDynamic, code } of module.dependencies ?? []) {
      if (code && !isDynamic) needed.add(code.specifier);
    }
  }
  assert.deepEqual(
    [...needed].map((specifier) => specifier.slice(specifier.lastIndexOf("/") + 1)),
    [
      "cli.ts",
      "main.ts",
    ],
  );
});
