import assert from "node:assert/strict";
import { formatDuration, parseDuration } from "../../lib/base/duration.ts";

Deno.test("parseDuration() reads every unit, fractions, and numbers as milliseconds", () => {
  const cases: [string | number, number][] = [
    ["200ms", 200],
    ["10s", 10_000],
    ["1m", 60_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["1.5s", 1_500],
    ["0s", 0],
    [250, 250],
    [0, 0],
  ];
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, String(text));
});

Deno.test("parseDuration() refuses anything else, and says what is valid and what it got", () => {
  const wrong = ["", "10", "10 s", "s", "-1s", "10S", "1h30m", "10sec", "1e3s", -1, NaN, Infinity];
  for (const value of wrong) {
    assert.throws(() => parseDuration(value), (error: Error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, /"10s".*"24h"/);
      assert.equal(error.message.includes("number of milliseconds"), typeof value === "number");
      const shown = typeof value === "string" ? `"${value}"` : String(value);
      assert.ok(error.message.endsWith(`current value is ${shown}`), error.message);
      return true;
    });
  }
});

Deno.test("formatDuration() writes the largest whole unit, as parseDuration() reads it", () => {
  const cases: [number, string][] = [
    [10_000, "10s"],
    [86_400_000, "1d"],
    [90_000, "90s"],
    [1_500, "1500ms"],
    [0, "0ms"],
  ];
  for (const [ms, text] of cases) {
    assert.equal(formatDuration(ms), text);
    assert.equal(parseDuration(text), ms);
  }
});
