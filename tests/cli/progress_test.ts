import assert from "node:assert/strict";
import { ProgressLine } from "../../lib/cli/progress.ts";

/** A terminal, and what was written to it. */
function terminal(isTerminal = true) {
  const written: string[] = [];
  return {
    written,
    isTerminal: () => isTerminal,
    writeSync(bytes: Uint8Array) {
      written.push(new TextDecoder().decode(bytes));
      return bytes.length;
    },
  };
}

Deno.test("progress is one line, written ten times a second at most, and taken away in the end", () => {
  let now = 0;
  const { written, ...screen } = terminal();
  using line = new ProgressLine(screen, () => now);
  for (let restored = 0; restored <= 10_000; restored += 100, now += 20) {
    line.show({ restored, total: 10_000 });
  }
  assert.equal(written.length, 21);
  assert.equal(written[0], "\r\x1b[Krestoring 0 of 10,000 feeds\r");
  assert.equal(written[19], "\r\x1b[Krestoring 9,500 of 10,000 feeds\r");
  assert.equal(written[20], "\r\x1b[K\r");
});

Deno.test("progress is shown on a terminal only", () => {
  const { written, ...screen } = terminal(false);
  using line = new ProgressLine(screen);
  line.show({ restored: 1, total: 2 });
  assert.deepEqual(written, []);
});
