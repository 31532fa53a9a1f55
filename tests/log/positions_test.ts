import assert from "node:assert/strict";
import { objectName } from "../../lib/log/names.ts";
import { asRow, asSeq, earlier, plus, rowOf, seqOf } from "../../lib/log/positions.ts";
import type { Outbox } from "../../lib/state/outbox.ts";

Deno.test("seqOf() undoes rowOf()", () => {
  const base = asRow(40), seq = asSeq(2);
  assert.equal(rowOf(seq, base), 42);
  assert.equal(seqOf(rowOf(seq, base), base), seq);
});

Deno.test("a row cannot be passed for a seq, nor a seq for a row", () => {
  const row = asRow(1), seq = asSeq(1);
  const part = { kind: "tail", stream: "web-1_abcdefgh", writer: "ijklmnop" } as const;
  const _mistakes = (outbox: Outbox) => {
    // @ts-expect-error: rows are dropped, not seqs
    outbox.drop(seq);
    // @ts-expect-error: nor the result of a calculation
    outbox.drop(row + 1);
    // @ts-expect-error: a key has seqs
    objectName({ ...part, first: row, last: row });
    // @ts-expect-error: the row comes first
    seqOf(seq, row);
    // @ts-expect-error: a row becomes a seq by seqOf()
    asSeq(row);
    // @ts-expect-error: they count different things
    earlier<typeof row>(row, seq);
  };
  assert.equal(plus(row, 1), 2);
});
