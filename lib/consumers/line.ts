/**
 * The lines that consumers are handed.
 *
 * @module
 */
import { serverOf } from "../log/names.ts";
import type { InboxLine } from "../state/inbox.ts";
import { contentBytes, type Json, type JsonObject } from "../update.ts";
import type { ConsumerGap, ConsumerLine, ContentForm } from "./consumer.ts";

/** A line of the inbox, or an update that is made like one. */
export type UpdateLine = Omit<InboxLine, "row" | "kind" | "last">;

const REASONS = { gap: "log", lost: "inbox", superseded: "superseded" } as const;

/** A line whose JSON is made from texts: content is parsed only where that is asked for. */
class Line implements ConsumerLine {
  readonly cursor: string;
  readonly json: string;

  constructor(cursor: string, member: "update" | "gap", value: string) {
    this.cursor = cursor;
    this.json = `{"cursor":"${cursor}","${member}":${value}}`;
  }

  get update(): JsonObject | undefined {
    return JSON.parse(this.json).update;
  }

  get gap(): ConsumerGap | undefined {
    return JSON.parse(this.json).gap;
  }
}

/** Makes the line of an update or a gap in the inbox. */
export function lineOf(line: InboxLine, cursor: string, content: ContentForm): ConsumerLine {
  return line.kind === "update"
    ? updateLineOf(line, cursor, content)
    : new Line(cursor, "gap", JSON.stringify(gapOf(line)));
}

/** Makes the line of an update. */
export function updateLineOf(
  line: UpdateLine,
  cursor: string,
  content: ContentForm,
): ConsumerLine {
  const { id, url, time, stream, seq, restored, superseded } = line;
  const body = content === "text" ? line.body : changedBody(line.body, content);
  const rest = JSON.stringify({
    ...{ server: serverOf(stream), time: new Date(time).toISOString(), stream, seq },
    superseded: superseded === 1,
    ...restored === 1 && { restored: true },
  });
  const json = `{"id":"${id}","url":${JSON.stringify(url)},${body},${rest.slice(1)}`;
  return new Line(cursor, "update", json);
}

/** The body with content as bytes in base64, or without content. */
function changedBody(body: string, form: "bytes" | "none"): string {
  const { content, encoding, removed, ...rest }: JsonObject = JSON.parse(`{${body}}`);
  if (removed === true) return body;
  if (form === "none" || encoding === "base64") {
    const members = form === "none" ? rest : { content, encoding, ...rest };
    return JSON.stringify(members).slice(1, -1);
  }
  const base64 = contentBytes({ content: content as Json })!.toBase64();
  return JSON.stringify({ content: base64, encoding: "base64", ...rest }).slice(1, -1);
}

function gapOf({ kind, stream, seq, last }: InboxLine): ConsumerGap {
  const reason = REASONS[kind as keyof typeof REASONS];
  return { stream: stream ?? null, first: seq, last: Math.max(seq, last), reason };
}
