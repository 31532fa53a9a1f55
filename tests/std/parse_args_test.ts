import assert from "node:assert/strict";
import { parseArgs } from "@std/cli/parse-args";

Deno.test("parseArgs() reads values, switches, letters and operands", () => {
  const options = {
    string: ["store", "_"],
    boolean: ["json", "verbose", "quiet"],
    collect: ["metadata"],
    alias: { verbose: "v", quiet: "q" },
  };
  const parsed = parseArgs(
    [
      "a",
      "--store",
      "file:x",
      "--json",
      "b",
      "-vq",
      "-",
      "--metadata",
      "k=v",
      "--metadata=w",
      "--",
      "--c",
      "7",
    ],
    options,
  );
  assert.deepEqual(parsed._, ["a", "b", "-", "--c", "7"]);
  assert.equal(parsed.store, "file:x");
  assert.deepEqual([parsed.json, parsed.verbose, parsed.v, parsed.quiet], [true, true, true, true]);
  assert.deepEqual(parsed.metadata, ["k=v", "w"]);
});

Deno.test("parseArgs() fills in what was not given", () => {
  const parsed = parseArgs([], { string: ["store"], boolean: ["json"], collect: ["metadata"] });
  assert.deepEqual([parsed.store, parsed.json, parsed.metadata], [undefined, false, []]);
});

Deno.test("parseArgs() takes no flag for a value, and an empty string where one is missing", () => {
  const parsed = parseArgs(["--store", "--json"], { string: ["store"], boolean: ["json"] });
  assert.deepEqual([parsed.store, parsed.json], ["", true]);
});

Deno.test("parseArgs() reads --switch=false", () => {
  assert.equal(parseArgs(["--json=false"], { boolean: ["json"] }).json, false);
});

Deno.test("parseArgs() tells of what is not declared", () => {
  const seen: unknown[] = [];
  parseArgs(["operand", "--jsno", "-x", "--json"], {
    boolean: ["json"],
    unknown: (arg, key) => {
      seen.push([arg, key]);
      return false;
    },
  });
  assert.deepEqual(seen, [["operand", undefined], ["--jsno", "jsno"], ["-x", "x"]]);
});
