import assert from "node:assert/strict";
import { parseArguments } from "../../lib/cli/args.ts";
import type { Syntax } from "../../lib/cli/command.ts";

const SYNTAX: Syntax = {
  operands: [{ name: "URL", required: true }, { name: "FILE" }],
  flags: {
    from: { value: "WHERE", help: "" },
    metadata: { value: "K=V", repeated: true, help: "" },
    once: { help: "" },
    "if-changed": { help: "" },
  },
};

function problemOf(...args: string[]): string {
  try {
    parseArguments(args, SYNTAX);
  } catch (error) {
    assert.equal((error as Error).name, "UsageError", String(error));
    return (error as Error).message;
  }
  throw new Error(`accepted: ${args.join(" ")}`);
}

Deno.test("parseArguments() reads operands, values, lists and switches in any order", () => {
  const args = parseArguments(
    ["--once", "https://example.com/", "--metadata", "a=1", "-v", "--metadata=b=2", "-", "--json"],
    SYNTAX,
  );
  assert.deepEqual(args.operands, ["https://example.com/", "-"]);
  assert.deepEqual(args.list("metadata"), ["a=1", "b=2"]);
  assert.equal(args.value("from"), undefined);
  assert.deepEqual(
    ["once", "if-changed", "json", "verbose", "quiet"].map((name) => args.has(name)),
    [true, false, true, true, false],
  );
});

Deno.test("what looks like a number stays text", () => {
  const args = parseArguments(["007", "1e3", "--from", "10"], SYNTAX);
  assert.deepEqual(args.operands, ["007", "1e3"]);
  assert.equal(args.value("from"), "10");
});

Deno.test("after -- everything is an operand", () => {
  assert.deepEqual(parseArguments(["url", "--", "--once"], SYNTAX).operands, ["url", "--once"]);
});

Deno.test("an unknown flag is answered with the nearest", () => {
  assert.match(problemOf("url", "--ifchanged"), /^Unknown flag --ifchanged, .* "--if-changed"\?/);
  assert.match(problemOf("url", "--stor=x"), /^Unknown flag --stor, did you mean "--store"\?/);
  assert.match(problemOf("url", "-x"), /^Unknown flag -x/);
  assert.match(problemOf("url", "--no-once"), /^Unknown flag --no-once/);
});

Deno.test("a flag with a value needs one, and takes only one", () => {
  assert.match(problemOf("url", "--from"), /--from needs a value/);
  assert.match(problemOf("url", "--from="), /--from needs a value/);
  assert.match(problemOf("url", "--from", "--once"), /--from needs a value/);
  assert.match(
    problemOf("url", "--store", "a", "--store", "b"),
    /--store was given 2 times, but may be given only once/,
  );
});

Deno.test("missing and surplus operands are named", () => {
  assert.match(problemOf(), /^URL is missing/);
  assert.match(problemOf("a", "b", "c"), /^Unexpected argument "c"/);
});

Deno.test("the last operand may be repeated where the command says so", () => {
  const syntax = { operands: [{ name: "URL" }, { name: "ID", repeated: true }] };
  const { operands } = parseArguments(["url", "a", "b"], syntax);
  assert.deepEqual(operands, ["url", "a", "b"]);
});

Deno.test("verbose and quiet exclude each other", () => {
  assert.match(problemOf("url", "-v", "-q"), /-v.*-q/);
});
