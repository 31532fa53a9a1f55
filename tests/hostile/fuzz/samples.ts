/**
 * What is valid, to begin with.
 *
 * @module
 */
import fc from "fast-check";
import { encodeBody, updateBody, updateLine } from "../../../lib/log/codec.ts";
import { type ObjectName, objectName } from "../../../lib/log/names.ts";
import type { NewestUpdate } from "../../../lib/log/newest/body.ts";
import { asSeq } from "../../../lib/log/positions.ts";
import { type NewestName, newestName } from "../../../lib/log/newest/names.ts";
import type { FeedContent } from "../../../lib/update.ts";

const CONTENTS: readonly FeedContent[] = [
  { content: "<rss>ä</rss>" },
  { content: { items: [{ title: "a", read: false, at: 1.5 }, null] } },
  { content: new Uint8Array([0xff, 0, 10]) },
  { removed: true },
];

const METADATA = { status: 200, etag: '"abc"', nested: { list: [1, 2] } };

/** A name of an object that is read from the beginning of its stream. */
export const smallName: fc.Arbitrary<ObjectName> = fc.record({
  kind: fc.constantFrom("tail" as const, "segments" as const),
  stream: fc.constantFrom("evil_aaaaaaaa", "evil_bbbbbbbb", "web-1_cccccccc"),
  first: fc.constantFrom(1, 1, 1, 2, 3, 2 ** 53 - 4),
  count: fc.integer({ min: 1, max: 3 }),
  writer: fc.constantFrom("wwwwwwww", "zzzzzzzz"),
}).map(({ count, first, ...rest }) => objectName({ ...rest, first, last: first + count - 1 }));

/** The lines of a valid body, with one update of each kind in turn. */
export function linesFor({ first, last, writer }: ObjectName, server = "evil"): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const content = CONTENTS[(first + index) % CONTENTS.length];
    const id = `${writer.charCodeAt(0)}`.padStart(8, "0") + "-0000-4000-8000-" +
      String(first + index).padStart(12, "0").slice(-12);
    return updateLine({
      id,
      url: `https://${server}.example.com/${(first + index) % 5}`,
      time: Date.UTC(2026, 0, 1) + index,
      body: updateBody({ ...content, metadata: METADATA }),
    }, first + index);
  });
}

/** An update that is kept for good, of each kind in turn. */
export const newestUpdate: fc.Arbitrary<NewestUpdate> = fc.record({
  stream: fc.constantFrom("evil_aaaaaaaa", "web-1_cccccccc"),
  seq: fc.constantFrom(1, 2, 3, 4, 2 ** 53 - 1),
  time: fc.nat(4_000_000_000_000),
}).map(({ stream, seq, time }) => {
  const { content, removed } = CONTENTS[seq % CONTENTS.length];
  const kind = removed ? { content: undefined, removed: true as const } : { content: content! };
  return {
    stream,
    seq: asSeq(seq),
    id: `00000000-0000-4000-8000-${String(seq % 10 ** 12).padStart(12, "0")}`,
    url: `https://evil.example.com/${seq % 5}`,
    time: new Date(time).toISOString(),
    metadata: METADATA,
    ...kind,
  };
});

/** A name for it, in a group of any feed. */
export function newestNameFor({ id, time, removed }: NewestUpdate): NewestName {
  const hash = "0123456789abcdef".repeat(2);
  return newestName({ hash, time: Date.parse(time), id, isRemoved: removed === true });
}

/** A valid body. */
export function bodyFor(name: ObjectName, server?: string): Uint8Array<ArrayBuffer> {
  const time = "2026-01-01T00:00:00.000Z";
  return new Uint8Array(encodeBody(name, linesFor(name, server), { time, previous: "evil_x" }));
}
