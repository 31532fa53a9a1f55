/**
 * Removes unneeded parts from answers before the SDK reads them: the SDK rejects a whole answer if
 * a date in it has an unusual form.
 *
 * @module
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { ForeignAnswerError, isRedirect } from "./answers.ts";
import { readAnswer, type SdkResponse } from "./request_handler.ts";

/** The headers that the SDK or feedsync reads. The SDK may fail on others, such as dates. */
const USEFUL_HEADERS = new Set([
  "content-encoding",
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

/** Maximum size of a text in place of an object. */
const MAX_TEXT_BYTES = 1024 * 1024;

/** What S3 answers to commands: the root element. Other answers have no body, or that of an object. */
const ROOTS: Readonly<Record<string, string>> = {
  ListObjectsV2Command: "ListBucketResult",
  DeleteObjectsCommand: "DeleteResult",
};

/** Commands for which status 404 means that the object is missing, whatever the body says. */
const ABSENT = /^(Get|Delete)ObjectCommand$/;

/** Dates in RFC 3339, which the SDK reads, and in the form of HTTP. */
const DATED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$|^\w{3}, \d\d .* GMT$/;

/** The start of S3: gateways that do not know a date send the first of their calendar. */
const S3_BEGAN = Date.UTC(2006, 2, 14);

/** Filters all answers to `client`. */
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

/** Parses a date, to milliseconds since 1970; undefined when the text has none. */
export function dateOf(text: string): number | undefined {
  const ms = DATED.test(text) ? Date.parse(text) : NaN;
  return ms >= S3_BEGAN ? ms : undefined;
}

/**
 * The time of the service in an answer, in milliseconds since 1970; undefined when there is none,
 * or a cache answered (`Age`), which repeats an old time.
 */
export function clockOf(header: (name: string) => string | null | undefined): number | undefined {
  const age = header("age") ?? "0";
  return age === "0" ? dateOf(header("date") ?? "") : undefined;
}

function isResponse(response: unknown): response is SdkResponse {
  return typeof response === "object" && response !== null && "headers" in response;
}

async function filter(response: SdkResponse, command: string): Promise<void> {
  const { statusCode, headers } = response;
  const useful = Object.entries(headers).filter(([name]) => USEFUL_HEADERS.has(name));
  response.headers = Object.fromEntries(useful);
  // The SDK signs with the time in `Date` if that differs from the local clock.
  if (clockOf((name) => headers[name]) === undefined) delete response.headers.date;
  const isListing = command === "ListObjectsV2Command" && statusCode === 200;
  // S3 sends no body after deleting an object.
  const isDeleted = command === "DeleteObjectCommand" && statusCode === 200;
  let isPage = /^text\/html\b/i.test(headers["content-type"] ?? "");
  if (statusCode < 300 && isPage && command === "GetObjectCommand") {
    isPage = await beginsAsPage(response);
  }
  if (statusCode < 300 && !isListing && !isDeleted && !isPage) return;
  if (isRedirect(statusCode) || (statusCode === 404 && ABSENT.test(command))) return;
  const text = await textOf(response.body);
  const xml = withoutPrefixes(text);
  const root = statusCode === 200 ? ROOTS[command] : undefined;
  if (isDeleted && text !== "" || !isOfS3(xml, root)) {
    throw new ForeignAnswerError(statusCode, text);
  }
  response.body = new TextEncoder().encode(isListing ? readable(xml) : xml);
}

/** Number of bytes that are read to distinguish an HTML page from an object. */
const HEAD_BYTES = 64;

/**
 * Whether the body starts like HTML: a proxy may have changed the type of an object. Keeps the body
 * readable.
 */
async function beginsAsPage(response: SdkResponse): Promise<boolean> {
  if (!(response.body instanceof ReadableStream)) return false;
  const [head, body]: ReadableStream<Uint8Array>[] = response.body.tee();
  response.body = body;
  const bytes: number[] = [];
  for await (const chunk of head) {
    bytes.push(...chunk.subarray(0, HEAD_BYTES));
    if (bytes.length >= HEAD_BYTES) break;
  }
  return new TextDecoder().decode(new Uint8Array(bytes)).trimStart().startsWith("<");
}

/** Removes namespace prefixes from the elements, as the SDK expects. */
function withoutPrefixes(xml: string): string {
  return xml.replace(/<(\/?)[\w.-]+:(?=[A-Za-z])/g, "<$1");
}

/** Whether an S3 service may have sent this: `expected`, if anything, or an error, which may have no body. */
function isOfS3(text: string, expected: string | undefined): boolean {
  const root = /<(\w+)/.exec(text.replace(/^\s*<\?.*?\?>/s, ""))?.[1] ?? "";
  if (["Error", "ErrorResponse"].includes(root)) return true;
  return expected === undefined ? text === "" : root === expected;
}

async function textOf(body: unknown): Promise<string> {
  const bytes = body instanceof ReadableStream ? await readAnswer(body, MAX_TEXT_BYTES) : body;
  return bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : "";
}

/** Rewrites a listing so that it holds only dates and booleans that the SDK can read. */
function readable(xml: string): string {
  return xml.replace(/<RestoreStatus>.*?<\/RestoreStatus>/gs, "")
    .replace(element("LastModified"), (_, text = "") => {
      const ms = dateOf(text.replace(/^\s*<!\[CDATA\[(.*)\]\]>\s*$/s, "$1").trim());
      return ms === undefined ? "" : `<LastModified>${new Date(ms).toISOString()}</LastModified>`;
    })
    .replace(element("IsTruncated"), (_, text = "") => {
      const value = text.trim().toLowerCase();
      const isTrue = ["true", "1", "yes"].includes(value);
      const isKnown = isTrue || ["false", "0", "no"].includes(value);
      return isKnown ? `<IsTruncated>${isTrue}</IsTruncated>` : "";
    });
}

/** Matches an element with any content. */
function element(name: string): RegExp {
  return new RegExp(`<${name}(?:\\s[^>]*)?(?:/>|(?<!/)>(.*?)</${name}\\s*>)`, "gs");
}
