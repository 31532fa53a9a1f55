/**
 * What a server has checked of late, for whoever takes over its feeds.
 *
 * @module
 */
import * as z from "zod/mini";
import { CorruptObjectError, messageOf } from "../../errors.ts";
import { openBody, packBody } from "../codec.ts";
import { checksKey } from "./names.ts";

/** What is known of the last check of a feed. Times are milliseconds by the store's clock. */
export interface FeedCheck {
  /** Hash of the feed's URL, as in `newest/`. */
  readonly feed: string;
  /** When it was checked. */
  readonly checkedAt: number;
  /** Not to be fetched before. */
  readonly notBefore: number;
  /** Number of failures in a row. */
  readonly failures: number;
  /** Validators of the content with this hash. */
  readonly validators?: {
    readonly etag?: string | undefined;
    readonly lastModified?: string | undefined;
    readonly hash: string;
  } | undefined;
}

/** A host or domain that asked to be left alone. */
export interface HeldHost {
  /** Hash of its name, made as that of a feed. */
  readonly host: string;
  /** Until when, in milliseconds by the store's clock. */
  readonly until: number;
}

/** What a server has checked. */
export interface ServerChecks {
  /** The feeds. */
  readonly feeds: readonly FeedCheck[];
  /** The hosts and domains that are left alone. */
  readonly held: readonly HeldHost[];
}

/** Maximum number of lines in a part, and of parts. */
const MAX_LINES = 5000, MAX_PARTS = 200;

/** No further parts are read after so much text; what 200,000 feeds take is less. */
export const MAX_CHECKS_LENGTH: number = 64 * 1024 * 1024;

/** Maximum length of a validator; servers send shorter ones. */
export const MAX_VALIDATOR = 1024;

const hash = z.string().check(z.regex(/^[0-9a-f]{32}$/));
const time = z.number().check(z.int(), z.nonnegative());
const validator = z.optional(z.string().check(z.maxLength(MAX_VALIDATOR)));

const lineRule = z.union([
  z.object({
    feed: hash,
    checkedAt: time,
    notBefore: time,
    failures: z.catch(z.number().check(z.int(), z.nonnegative()), 0),
    validators: z.catch(
      z.optional(z.object({
        etag: validator,
        lastModified: validator,
        hash: z.string().check(z.maxLength(100)),
      })),
      undefined,
    ),
  }),
  z.object({ host: hash, until: time }),
]);

/** A part of what a server has checked. */
export interface ChecksPart {
  /** The key of its object. */
  readonly key: string;
  /** The body of its object. */
  readonly body: Uint8Array;
}

/** Encodes what a server has checked, in as many parts as that takes. */
export function encodeChecks(server: string, { feeds, held }: ServerChecks): ChecksPart[] {
  const lines = [...held, ...feeds].slice(0, MAX_LINES * MAX_PARTS)
    .map((line) => JSON.stringify(line));
  const parts = Math.max(1, Math.ceil(lines.length / MAX_LINES));
  return Array.from({ length: parts }, (_, part) => {
    const some = lines.slice(part * MAX_LINES, (part + 1) * MAX_LINES);
    const header = { kind: "checks", server, part, parts, count: some.length };
    return { key: checksKey(server, part), body: packBody(header, some) };
  });
}

/**
 * Decodes a part of what a server has checked; tells the number of all parts, and the length of the
 * text. Malformed lines are left out.
 *
 * @throws {CorruptObjectError} when it does not match its key.
 * @throws {UnsupportedFormatError} when only a newer version can read it.
 */
export function decodeChecks(
  server: string,
  part: number,
  body: Uint8Array,
): ServerChecks & { readonly parts: number; readonly length: number } {
  const key = checksKey(server, part), expected = { kind: "checks", server, part };
  const { header: { parts }, lines, length } = openBody(key, body, expected);
  const feeds: FeedCheck[] = [], held: HeldHost[] = [];
  for (const line of lines) {
    const checked = lineRule.safeParse(parsed(key, line)).data;
    if (checked === undefined) continue;
    if ("feed" in checked) feeds.push(checked);
    else held.push(checked);
  }
  return { feeds, held, parts: Math.min(Number(parts) || 1, MAX_PARTS), length };
}

function parsed(key: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new CorruptObjectError(key, `a line is not JSON (${messageOf(cause)})`, { cause });
  }
}
