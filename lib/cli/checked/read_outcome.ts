/**
 * Reads what came of a fetch from the arguments of `feedsync checked`.
 *
 * @module
 */
import { DURATION, DURATION_RULE } from "../../base/duration.ts";
import { suggest } from "../../base/nearest.ts";
import type { CheckOutcome } from "../../fleet/turns/outcome.ts";
import { MAX_UPDATE_BYTES } from "../../log/codec.ts";
import { contentFromBytes } from "../../update.ts";
import type { Arguments } from "../command.ts";
import { BadInputError, UsageError } from "../exit.ts";
import { readInput } from "../read_input.ts";

/** The headers that have a flag of their own. */
const HEADERS = ["etag", "last-modified", "cache-control", "retry-after", "location"];

const SCOPES = ["url", "host", "domain"] as const;

/** Maximum length of headers: servers and clients stop far below. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** Status and headers of an answer. */
type Answer = Pick<CheckOutcome, "status"> & { readonly headers: Readonly<Record<string, string>> };

/**
 * Reads the outcome.
 *
 * @throws {UsageError} when a flag is wrong, or there is no outcome.
 * @throws {BadInputError} when a file cannot be read.
 */
export async function readOutcome(args: Arguments, signal: AbortSignal): Promise<CheckOutcome> {
  const given = {
    status: statusOf(args.value("status")),
    ttl: ttlOf(args.value("ttl")),
    scope: scopeOf(args.value("scope")),
    error: args.value("error"),
  };
  const dump = args.value("headers"), file = args.value("content");
  if (given.status === undefined && dump === undefined && given.error === undefined) {
    throw new UsageError("What came of it is missing: give --status, --headers or --error");
  }
  if (dump === "-" && file === "-") {
    throw new UsageError("Cannot read both --headers and --content from standard input");
  }
  const answer: Answer = dump === undefined ? { headers: {} } : await readHeaders(dump, signal);
  return {
    ...given,
    status: given.status ?? answer.status,
    headers: { ...answer.headers, ...headersOf(args) },
    content: file === undefined ? undefined : await readContent(file, signal),
    removed: args.has("removed"),
  };
}

function statusOf(text: string | undefined): number | undefined {
  if (text === undefined || /^[1-5]\d\d$/.test(text)) return text ? Number(text) : undefined;
  throw new UsageError(`--status must be an HTTP status such as 304: current value is ${text}`);
}

function ttlOf(text: string | undefined): string | undefined {
  if (text === undefined || DURATION.test(text)) return text;
  throw new UsageError(`--ttl ${DURATION_RULE}: current value is ${text}`);
}

function scopeOf(text: string | undefined): CheckOutcome["scope"] {
  const scope = SCOPES.find((scope) => scope === text);
  if (scope === text) return scope;
  throw new UsageError(`Unknown --scope "${text}", ${suggest(text!, SCOPES)}`);
}

function headersOf(args: Arguments): Record<string, string> {
  return Object.fromEntries(HEADERS.flatMap((name) => {
    const value = args.value(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

async function readContent(file: string, signal: AbortSignal): Promise<string | Uint8Array> {
  return contentFromBytes(await readInput(file, { maxBytes: MAX_UPDATE_BYTES, signal }));
}

async function readHeaders(file: string, signal: AbortSignal): Promise<Answer> {
  const bytes = await readInput(file, { maxBytes: MAX_HEADER_BYTES, signal });
  const answer = parseHeaders(new TextDecoder().decode(bytes));
  if (answer) return answer;
  throw new BadInputError(
    `Cannot read ${file}: it has no line such as "HTTP/1.1 200 OK"; if there was no answer, use ` +
      "--error",
  );
}

/**
 * Status and headers of the last answer in the text: redirects and proxies leave others before it.
 * Returns undefined when there is none.
 */
export function parseHeaders(text: string): Answer | undefined {
  const lines = text.split(/\r?\n/);
  const begin = lines.findLastIndex((line) => /^HTTP\/[\d.]+ [1-5]\d\d\b/.test(line));
  if (begin < 0) return undefined;
  const status = Number(lines[begin].split(" ")[1]);
  const end = lines.indexOf("", begin);
  const fields = lines.slice(begin + 1, end < 0 ? undefined : end).flatMap((line) => {
    const colon = line.indexOf(":");
    return colon > 0 ? [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]] : [];
  });
  return { status, headers: Object.fromEntries(fields) };
}
