import { parseArgs } from "@std/cli/parse-args";
import assert from "node:assert/strict";

/** A copy without the prototype that assertions would compare. */
function parse(...parameters: Parameters<typeof parseArgs>): Record<string, unknown> {
  return { ...parseArgs(...parameters) };
}

Deno.test("parseArgs() reads flags with and without values", () => {
  assert.deepEqual(parse(["--foo", "--bar=baz", "./quux.txt"]), {
    foo: true,
    bar: "baz",
    _: ["./quux.txt"],
  });
  assert.deepEqual(parse(["-x", "3", "-n5", "-abc", "--beep=boop", "foo", "-"]), {
    x: 3,
    n: 5,
    a: true,
    b: true,
    c: true,
    beep: "boop",
    _: ["foo", "-"],
  });
  assert.deepEqual(parse(["--a=b=c", "-d=e", "-f./g"]), { a: "b=c", d: "e", f: "./g", _: [] });
});

Deno.test("parseArgs() makes numbers of what looks like one, unless it is declared as text", () => {
  assert.deepEqual(parse(["--a", "1", "--b=1e3", "--c", "0x10", "7", "8a", " "]), {
    a: 1,
    b: 1000,
    c: 16,
    _: [7, "8a", " "],
  });
  assert.deepEqual(parse(["--a", "1", "7"], { string: ["a", "_"] }), { a: "1", _: ["7"] });
});

Deno.test("parseArgs() gives flags without a value no value", () => {
  const options = { boolean: ["foo", "bar"], string: ["text"] } as const;
  assert.deepEqual(parse(["--foo", "file", "--text"], options), {
    foo: true,
    bar: false,
    text: "",
    _: ["file"],
  });
  assert.deepEqual(parse(["--foo", "false", "--bar=true", "--text", "--x"], options), {
    foo: false,
    bar: true,
    text: "",
    x: true,
    _: [],
  });
  assert.deepEqual(parse(["--foo", "a", "-b", "c"], { boolean: true }), {
    foo: true,
    b: "c",
    _: ["a"],
  });
});

Deno.test("parseArgs() uses the last value, or collects all", () => {
  assert.deepEqual(parse(["--a", "1", "--a", "2"]), { a: 2, _: [] });
  const options = { string: ["a", "b"], boolean: ["v"], collect: ["a", "b", "v"] } as const;
  assert.deepEqual(parse(["--a", "1", "--a=2", "-v", "-v"], options), {
    a: ["1", "2"],
    b: [],
    v: [true, true],
    _: [],
  });
});

Deno.test("parseArgs() knows other names of a flag", () => {
  const options = { alias: { verbose: "v", text: ["t", "s"] }, boolean: "v", string: "s" } as const;
  assert.deepEqual(parse(["-v", "file", "--text", "1"], options), {
    v: true,
    verbose: true,
    text: "1",
    t: "1",
    s: "1",
    _: ["file"],
  });
});

Deno.test("parseArgs() negates only what can be negated", () => {
  const options = { boolean: ["color", "sound"], negatable: ["color"] } as const;
  assert.deepEqual(parse(["--no-color", "--no-sound", "x"], options), {
    color: false,
    sound: false,
    "no-sound": "x",
    _: [],
  });
  assert.equal(parseArgs(["--no-color"], { ...options, default: { color: true } }).color, false);
});

Deno.test("parseArgs() fills in defaults", () => {
  const options = { string: ["a", "b"], default: { a: "x", other: 1 }, alias: { a: "z" } } as const;
  assert.deepEqual(parse([], options), { a: "x", z: "x", other: 1, _: [] });
  assert.deepEqual(parse(["-z", "y"], options), { a: "y", z: "y", other: 1, _: [] });
});

Deno.test("parseArgs() leaves alone what stands behind --, or behind the first operand", () => {
  assert.deepEqual(parse(["--a", "--", "--b", "5"]), { a: true, _: ["--b", "5"] });
  assert.deepEqual(parse(["x", "--", "--b"], { "--": true }), { _: ["x"], "--": ["--b"] });
  assert.deepEqual(parse(["--a", "run", "--b", "5"], { boolean: ["a"], stopEarly: true }), {
    a: true,
    _: ["run", "--b", "5"],
  });
});

Deno.test("parseArgs() asks about what is not declared", () => {
  const asked: unknown[][] = [];
  const options = {
    string: ["known"],
    alias: { known: "k" },
    unknown: (...call: unknown[]) => {
      asked.push(call);
      return false;
    },
  };
  assert.deepEqual(parse(["--known=1", "-k", "2", "--other=3", "-x", "4", "file"], options), {
    known: "2",
    k: "2",
    _: [],
  });
  assert.deepEqual(asked, [["--other=3", "other", "3"], ["-x", "x", "4"], ["file"]]);
});

Deno.test("parseArgs() types what it returns", () => {
  const args = parseArgs(["--list=a"], {
    boolean: ["flag", "color"],
    string: ["text", "list", "level"],
    collect: ["list"],
    negatable: ["color"],
    default: { level: "info" },
    "--": true,
  });
  const flag: boolean = args.flag;
  const text: string | undefined = args.text;
  const list: string[] = args.list;
  const level: string = args.level;
  const behind: string[] = args["--"];
  const operands: (string | number)[] = args._;
  assert.deepEqual([flag, text, list, level, behind, operands], [
    false,
    undefined,
    ["a"],
    "info",
    [],
    [],
  ]);
});
