import { parseArgs } from "@std/cli/parse-args";
import assert from "node:assert/strict";

Deno.test("parseArgs() reads flags with and without values", () => {
  assert.deepEqual({ ...parseArgs(["--foo", "--bar=baz", "./quux.txt"]) }, {
    foo: true,
    bar: "baz",
    _: ["./quux.txt"],
  });
  assert.deepEqual({ ...parseArgs(["-x", "3", "-n5", "-abc", "--beep=boop", "foo", "-"]) }, {
    x: 3,
    n: 5,
    a: true,
    b: true,
    c: true,
    beep: "boop",
    _: ["foo", "-"],
  });
  assert.deepEqual({ ...parseArgs(["--a=b=c", "-d=e", "-f./g", "--h", "x", "y"]) }, {
    a: "b=c",
    d: "e",
    f: "./g",
    h: "x",
    _: ["y"],
  });
});

Deno.test("parseArgs() makes numbers of what looks like one, unless it is declared as text", () => {
  assert.deepEqual({ ...parseArgs(["--a", "1", "--b=1e3", "--c", "0x10", "7", "8a"]) }, {
    a: 1,
    b: 1000,
    c: 16,
    _: [7, "8a"],
  });
  assert.deepEqual({ ...parseArgs(["--a", "1", "7"], { string: ["a", "_"] }) }, {
    a: "1",
    _: ["7"],
  });
});

Deno.test("parseArgs() takes no operand for the value of a switch, and no flag for a value", () => {
  const options = { boolean: ["foo", "bar"], string: ["text"] };
  assert.deepEqual({ ...parseArgs(["--foo", "file", "--text"], options) }, {
    foo: true,
    bar: false,
    text: "",
    _: ["file"],
  });
  assert.deepEqual({ ...parseArgs(["--foo", "false", "--bar=true", "--text", "--x"], options) }, {
    foo: false,
    bar: true,
    text: "",
    x: true,
    _: [],
  });
});

Deno.test("parseArgs() uses the last value, or collects all", () => {
  assert.deepEqual({ ...parseArgs(["--a", "1", "--a", "2"]) }, { a: 2, _: [] });
  const options = { string: ["a", "b"], boolean: ["v"], collect: ["a", "b", "v"] };
  assert.deepEqual({ ...parseArgs(["--a", "1", "--a=2", "-v", "-v"], options) }, {
    a: ["1", "2"],
    b: [],
    v: [true, true],
    _: [],
  });
});

Deno.test("parseArgs() knows other names of a flag", () => {
  const options = { alias: { verbose: "v", text: "t" }, boolean: ["verbose"], string: ["t"] };
  assert.deepEqual({ ...parseArgs(["-v", "file", "--text", "1"], options) }, {
    v: true,
    verbose: true,
    text: "1",
    t: "1",
    _: ["file"],
  });
});

Deno.test("parseArgs() leaves alone what stands behind --", () => {
  assert.deepEqual({ ...parseArgs(["--a", "--", "--b", "5"]) }, { a: true, _: ["--b", "5"] });
});

Deno.test("parseArgs() sees a value only where there is one", () => {
  const options = { string: ["text", "_"], boolean: ["switch"] };
  assert.deepEqual({ ...parseArgs(["--text="], options) }, { text: "", switch: false, _: [] });
  assert.deepEqual({ ...parseArgs(["--text", ""], options) }, { text: "", switch: false, _: [""] });
  assert.deepEqual({ ...parseArgs(["--text=", "next"], options) }, {
    text: "next",
    switch: false,
    _: [],
  });
  assert.equal(parseArgs(["--switch="], options).switch, true);
});

Deno.test("parseArgs() turns a switch on that is negated with a value", () => {
  const options = { boolean: ["switch"] };
  assert.equal(parseArgs(["--no-switch=1"], options).switch, true);
  assert.deepEqual({ ...parseArgs(["--no-switch"], options) }, {
    switch: false,
    "no-switch": true,
    _: [],
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
  assert.deepEqual(
    { ...parseArgs(["--known=1", "-k", "2", "--other=3", "-x", "4", "f"], options) },
    {
      known: "2",
      k: "2",
      _: [],
    },
  );
  assert.deepEqual(asked, [["--other=3", "other", "3"], ["-x", "x", "4"], ["f"]]);
});
