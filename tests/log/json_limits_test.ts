import fc from "fast-check";
import assert from "node:assert/strict";
import { outlineOf, Shape } from "../../lib/log/json_limits.ts";

Deno.test("outlineOf() counts in the text what Shape counts in the value, or more white space", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const shape = new Shape();
    assert.equal(shape.add(value), undefined);
    const outline = outlineOf(JSON.stringify(value));
    assert.equal(outline.values, shape.values);
    assert.ok(outline.indentation >= shape.indentation);
  }));
});

Deno.test("outlineOf() looks into no string, wherever its end seems to be", () => {
  for (const text of [",[{", '",[', "\\", '\\",[', '\\\\"{', "\\\\", '"\\\\\\",{']) {
    assert.deepEqual(outlineOf(JSON.stringify([text, text])), { values: 2, indentation: 4 });
  }
  assert.equal(outlineOf('["no end, [{').values, 1);
});

Deno.test("Shape adds up values until they are too many together", () => {
  const shape = new Shape(), half = new Array(500_000).fill(1);
  assert.equal(shape.add(half), undefined);
  assert.equal(shape.add(half), undefined);
  assert.equal(shape.add("text"), undefined);
  assert.equal(shape.add([1]), "made of more than 1000000 values");
});
