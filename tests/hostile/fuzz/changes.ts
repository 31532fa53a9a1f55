/**
 * Ways in which an attacker spoils what was valid.
 *
 * @module
 */
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { nestedText, ones } from "../values.ts";

/** JSON texts that have been trouble somewhere. */
const TROUBLE: readonly string[] = [
  ...["null", "true", "0", "-1", "-0", "1.5", "1e400", "-1e400", "9007199254740993", "1e-400"],
  ...["[]", "{}", '""', '"\\u0000"', '"\\ud800"', '"\\u202e\\u2028\\u009b31m"', '"../../x"'],
  ...['"__proto__"', '{"__proto__":{"evil":1}}', '{"constructor":{"prototype":{"evil":1}}}'],
  ...['{"length":1e9}', '{"toString":1,"toJSON":1,"then":1}', '"file:///etc/passwd"', '"a:"'],
  ...['"9999-12-31T23:59:59.999Z"', '"0000-01-01T00:00:00.000Z"', '"2026-02-30T00:00:00.000Z"'],
  ...[nestedText("[", "]", 499), nestedText("[", "]", 501), nestedText('{"a":', "}", 3_000, "1")],
  ...[nestedText("[", "]", 100_000), nestedText("[", "]", 400, ones(100_000))],
  ...[JSON.stringify("x".repeat(100_000)), "NaN", "undefined", "", "[", "\x1b]0;x\x07"],
];

/** A JSON text, or nearly one. */
export const trouble: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TROUBLE) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)) },
);

/** A change of a text: of one of its values or keys, of its lines, or of a character. */
interface TextChange {
  readonly kind: "value" | "repeat" | "drop" | "swap" | "character" | "cut";
  readonly at: number;
  readonly with: string;
}

const textChange: fc.Arbitrary<TextChange> = fc.record({
  kind: fc.constantFrom<TextChange["kind"]>(
    "value",
    "value",
    "value",
    "repeat",
    "drop",
    "swap",
    "character",
    "cut",
  ),
  at: fc.nat(),
  with: trouble,
});

/** Changes of a text, one after the other. */
export const textChanges: fc.Arbitrary<readonly TextChange[]> = fc.array(textChange, {
  maxLength: 4,
});

const VALUE = /"(?:[^"\\]|\\.)*"|-?\d[\d.e+-]*|true|false|null|\[\]|\{\}/g;

/** The text with the changes made. */
export function changeText(text: string, changes: readonly TextChange[]): string {
  return changes.reduce((text, { kind, at, with: other }) => {
    const lines = text.split("\n");
    const line = at % lines.length;
    switch (kind) {
      case "value": {
        const values = [...text.slice(0, 50_000).matchAll(VALUE)];
        const { index = 0, 0: value = "" } = values[at % values.length] ?? {};
        return text.slice(0, index) + other + text.slice(index + value.length);
      }
      case "repeat":
        return lines.toSpliced(line, 0, lines[line]).join("\n");
      case "drop":
        return lines.toSpliced(line, 1).join("\n");
      case "swap":
        return lines.with(line, lines[0]).with(0, lines[line]).join("\n");
      case "character":
        return text.slice(0, at % (text.length + 1)) + other.slice(0, 1) +
          text.slice(at % (text.length + 1) + 1);
      case "cut":
        return text.slice(0, at % (text.length + 1));
    }
  }, text);
}

/** A change of bytes. */
interface ByteChange {
  readonly kind: "flip" | "cut" | "insert";
  readonly at: number;
  readonly byte: number;
}

/** Changes of a body: of the text in it, and of its bytes. */
export interface BodyChange {
  readonly text: readonly TextChange[];
  readonly bytes: readonly ByteChange[];
}

/** How the body of an object is changed: more often in its text, which most of the rules are about. */
export const bodyChange: fc.Arbitrary<BodyChange> = fc.record({
  text: textChanges,
  bytes: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.record({
          kind: fc.constantFrom<ByteChange["kind"]>("flip", "cut", "insert"),
          at: fc.nat(),
          byte: fc.integer({ min: 1, max: 255 }),
        }),
        { maxLength: 3 },
      ),
    },
  ),
});

/** The body with the changes made, compressed again. */
export function changeBody(body: Uint8Array, { text, bytes }: BodyChange): Uint8Array<ArrayBuffer> {
  const changed = changeText(zstdDecompressSync(body).toString(), text);
  return bytes.reduce((body, { kind, at, byte }) => {
    const place = at % (body.length + 1);
    const rest = body.subarray(place + (kind === "flip" ? 1 : 0));
    const middle = kind === "cut" ? [] : [kind === "flip" ? (body[place] ?? 0) ^ byte : byte];
    return new Uint8Array(
      Buffer.concat([
        body.subarray(0, place),
        Uint8Array.from(middle),
        kind === "cut" ? new Uint8Array() : rest,
      ]),
    );
  }, new Uint8Array(zstdCompressSync(changed)));
}
