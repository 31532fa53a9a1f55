/**
 * Takes out of answers what feedsync has no use for, before the SDK reads them: it refuses an answer as a
 * whole when a date in it has an unusual form.
 *
 * @module
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { ForeignAnswerError, isRedirect } from "./answers.ts";
import { readAtMost } from "../../base/read_at_most.ts";

/** The headers that the SDK or feedsync reads. Others, such as dates, it may stumble over. */
const USEFUL_HEADERS = new Set([
  "content-length",
  "content-type",
  "date",
  "etag",
  "location",
  "retry-after",
  "x-amz-bucket-region",
  "x-amz-delete-marker",
  "x-amz-id-2",
  "x-amz-request-id",
  "x-amz-version-id",
  "x-feedsync-retry-after",
]);

/** No page of a listing is larger, even with 1,000 keys that are as long as keys can be: bytes. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;

/** What is missing for these commands is told with 404, in whatever words. */
const ABSENT = /^(Get|Delete)ObjectCommand$/;

/** RFC 3339, which the SDK reads, and the form of dates in HTTP. */
const DATED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$|^\w{3}, \d\d .* GMT$/;

/** Gateways that do not know a date send the first of their calendar: S3 is not older than this. */
const S3_BEGAN = Date.UTC(2006, 2, 14);

/** Has all answers to `client` filtered. */
export function filterAnswers({ middlewareStack }: S3Client): void {
  middlewareStack.add(
    (next, { commandName }) => async (args) => {
      const output = await next(args);
      if (isResponse(output.response)) await filter(output.response, commandName ?? "");
      return output;
    },
    { step: "deserialize", priority: "low", name: "filterAnswers" }, // Before the SDK reads them.
  );
}

/** When something was written, in milliseconds since 1970; undefined when that is not told. */
export function dateOf(text: string): number | undefined {
  const ms = DATED.test(text) ? Date.parse(text) : NaN;
  return ms >= S3_BEGAN ? ms : undefined;
}

/**
 * What the clock of the service says in an answer, in milliseconds since 1970; undefined when it does not.
 * A cache repeats what it said when the cache asked.
 */
export function clockOf(header: (name: string) => string | null | undefined): number | undefined {
  const age = header("age") ?? "0";
  return age === "0" ? dateOf(header("date") ?? "") : undefined;
}

/** What the SDK makes of an answer before it reads the body. */
interface HttpResponse {
  readonly statusCode: number;
  headers: Record<string, string>;
  body?: unknown;
}

function isResponse(response: unknown): response is HttpResponse {
  return typeof response === "object" && response !== null && "headers" in response;
}

async function filter(response: HttpResponse, command: string): Promise<void> {
  const { statusCode, headers, body } = response;
  const useful = Object.entries(headers).filter(([name]) => USEFUL_HEADERS.has(name));
  response.headers = Object.fromEntries(useful);
  // The SDK signs by the clock of the service where that differs from its own.
  if (clockOf((name) => headers[name]) === undefined) delete response.headers.date;
  const isListing = command === "ListObjectsV2Command" && statusCode === 200;
  const isPage = /^text\/html\b/i.test(headers["content-type"] ?? "");
  if (statusCode < 300 && !isListing && !isPage) return;
  if (isRedirect(statusCode) || (statusCode === 404 && ABSENT.test(command))) return;
  const text = body instanceof ReadableStream ? await textOf(body) : "";
  if (!isOfS3(text, isListing)) throw new ForeignAnswerError(statusCode, text);
  response.body = new Blob([isListing ? readable(text) : text]);
}

/** Whether that is what S3 services answer: a listing, or an error, which may have no body. */
function isOfS3(text: string, isListing: boolean): boolean {
  const root = /<(?:\w+:)?(\w+)/.exec(text.replace(/^\s*<\?.*?\?>/s, ""))?.[1] ?? "";
  if (["Error", "ErrorResponse"].includes(root)) return true;
  return isListing ? root === "ListBucketResult" : text === "";
}

async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  const bytes = await readAtMost(body, MAX_PAGE_BYTES);
  if (bytes === "too large") throw new Error(`the answer has more than ${MAX_PAGE_BYTES} bytes`);
  return new TextDecoder().decode(bytes);
}

/** A listing with dates that the SDK can read, and without others. */
function readable(xml: string): string {
  const dated = /<LastModified\s*(?:\/>|>([^<]*)<\/LastModified\s*>)/g;
  return xml.replace(/<RestoreStatus>.*?<\/RestoreStatus>/gs, "").replace(dated, (_, text = "") => {
    const ms = dateOf(text.trim());
    return ms === undefined ? "" : `<LastModified>${new Date(ms).toISOString()}</LastModified>`;
  });
}
