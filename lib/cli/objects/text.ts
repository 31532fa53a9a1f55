/**
 * What an object is, in words and as JSON.
 *
 * @module
 */
import { shownUrl } from "../../feed_url.ts";
import type { StoredUpdate } from "../../log/codec.ts";
import type { KeyMeaning } from "../../log/objects/key_meaning.ts";
import type { InspectedObject, ListedObject } from "../../log/objects/object_log.ts";
import { type ObjectName, serverOf } from "../../log/names.ts";
import { contentBytes, contentToJson } from "../../update.ts";

/** Widths of the columns of a list. */
const KIND_WIDTH = 9, TIME_WIDTH = "2026-01-01T00:00:00Z".length, SIZE_WIDTH = 11, WHAT_WIDTH = 20;

const LABEL_WIDTH = 12;

/** The line of an object in a list. */
export function listLine({ key, meaning, size, lastModified }: ListedObject): string {
  const time = timeText(lastModified)?.replace(/\.\d+Z$/, "Z") ?? "-";
  return [
    meaning.kind.padEnd(KIND_WIDTH),
    time.padEnd(TIME_WIDTH),
    size.toLocaleString("en").padStart(SIZE_WIDTH),
    (whatIsIn(meaning) ?? "-").padEnd(WHAT_WIDTH),
    key,
  ].join("  ");
}

/** Whose it is, and which updates it holds, as its key says. */
function whatIsIn(meaning: KeyMeaning): string | undefined {
  switch (meaning.kind) {
    case "commit":
    case "segment":
      return `${serverOf(meaning.name.stream)} ${rangeText(meaning.name)}`;
    case "newest":
    case "tombstone":
      return timeText(meaning.name.time);
    case "presence":
      return meaning.name.server;
    case "checks":
      return meaning.server;
  }
}

/** A range of updates, as numbers. */
function rangeText({ first, last }: Pick<ObjectName, "first" | "last">): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** The lines that describe an object which was looked at. */
export function* inspectedLines(
  object: InspectedObject,
  { withContent }: { readonly withContent: boolean },
): Iterable<string> {
  const { key, meaning, size, lastModified, kid, header, content, unreadable } = object;
  const row = (label: string, text: string) => label.padEnd(LABEL_WIDTH) + text;
  yield row("key", key);
  yield row("kind", meaning.kind);
  const what = whatIsIn(meaning);
  if (what !== undefined) yield row("holds", what);
  yield row("size", `${size.toLocaleString("en")} bytes`);
  yield row("written", timeText(lastModified) ?? "unknown");
  if (kid !== undefined) yield row("key id", JSON.stringify(kid));
  if (unreadable) yield row("readable", `no, ${unreadable.reason}: ${unreadable.error.message}`);
  else yield row("readable", content ? "yes" : "nobody reads it");
  if (header) yield row("header", JSON.stringify(header));
  if (!content) return;
  if ("report" in content) yield row("report", JSON.stringify(content.report));
  if ("feeds" in content) yield row("feeds", content.feeds.toLocaleString("en"));
  if (!("updates" in content)) return;
  for (const update of content.updates) {
    const { seq, time, id, url } = update;
    const size = contentBytes(update)?.length.toLocaleString("en") ?? "removed";
    yield [seq, time, id, size, shownUrl(url)].join("  ");
    if (withContent) yield JSON.stringify(contentOf(update));
  }
}

/** An object of a list as JSON. */
export function listedJson(
  { key, meaning, size, lastModified }: ListedObject,
): Record<string, unknown> {
  const { kind } = meaning;
  return {
    ...{ key, kind, ...membersOf(meaning) },
    ...{ size, lastModified: timeText(lastModified) ?? null },
  };
}

function membersOf(meaning: KeyMeaning): Record<string, unknown> {
  switch (meaning.kind) {
    case "commit":
    case "segment": {
      const { stream, first, last } = meaning.name;
      return { server: serverOf(stream), stream, first, last };
    }
    case "newest":
    case "tombstone": {
      const { hash, time, id } = meaning.name;
      return { hash, time: timeText(time) ?? null, id };
    }
    case "presence": {
      const { server, stream } = meaning.name;
      return { server, stream };
    }
    case "list":
      return { digest: meaning.digest };
    case "checks":
      return { server: meaning.server, part: meaning.part };
    default:
      return {};
  }
}

/** An object that was looked at as JSON. */
export function inspectedJson(
  object: InspectedObject,
  { withContent }: { readonly withContent: boolean },
): Record<string, unknown> {
  const { kid, header, content, unreadable } = object;
  const withUpdates = content && "updates" in content ? content.updates : undefined;
  const updates = withUpdates?.map((update) => {
    const { seq, id, url, time, removed } = update;
    const bytes = contentBytes(update)?.length;
    return { seq, id, url, time, removed, bytes, ...withContent && contentOf(update) };
  });
  return {
    ...listedJson(object),
    readable: content !== undefined,
    ...unreadable && { unreadable: reasonJson(unreadable) },
    encryptedWith: kid,
    header,
    ...updates ? { updates } : content,
  };
}

function reasonJson({ reason, error }: NonNullable<InspectedObject["unreadable"]>) {
  return { reason, error: error.name, message: error.message };
}

function contentOf(update: StoredUpdate) {
  return { ...contentToJson(update), metadata: update.metadata };
}

/** A time in ISO 8601; undefined when there is none: keys and stores may say anything. */
export function timeText(ms: number | undefined): string | undefined {
  const date = new Date(ms ?? NaN);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
