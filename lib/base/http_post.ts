/**
 * POSTing to a URL of the configuration. Such a URL may be a secret, as those of chat services are:
 * nothing that leaves this file, neither an error nor an excerpt of an answer, has more of it than its
 * origin.
 *
 * @module
 */
import { BackendUnavailableError } from "../errors.ts";

/** A POST. */
export interface PostRequest {
  /** Headers. */
  readonly headers: Headers | Record<string, string>;
  /** Body. */
  readonly body: string | Uint8Array;
  /** Ends the request; its reason is thrown then. */
  readonly signal: AbortSignal;
  /** Path below the URL; it is no secret. @default none */
  readonly path?: string;
  /** What sends it. @default Deno's own client */
  readonly client?: Deno.HttpClient;
}

/** The answer to a POST. */
export interface Answer {
  /** Status code. */
  readonly status: number;
  /** The status is 2xx. */
  readonly ok: boolean;
  /** How long the service asks to wait before the next request, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Beginning of the body of an error; empty when it repeats parts of the URL or of a header. */
  readonly excerpt: string;
}

/**
 * Sends a POST and reads the answer as far as it matters. Follows no redirects: what is sent is for
 * the configured receiver alone.
 *
 * @throws {BackendUnavailableError} when no answer comes; its message is the reason alone.
 */
export async function post(url: string, request: PostRequest): Promise<Answer> {
  const { headers, body, signal, client, path = "" } = request;
  let response: Response;
  try {
    response = await fetch(url + path, {
      method: "POST",
      redirect: "manual",
      headers,
      body: body as BodyInit,
      signal,
      client,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new BackendUnavailableError(reasonOf(error, url));
  }
  const { status, ok } = response;
  const retryAfterMs = retryAfter(response.headers);
  if (!ok) return { status, ok, retryAfterMs, excerpt: await excerptOf(response, url, headers) };
  await response.body?.cancel().catch(() => {}); // The status says enough.
  return { status, ok, excerpt: "" };
}

/** The origin of a URL: all of it that may be shown. */
export function originOf(url: string): string {
  return new URL(url).origin;
}

/** Reasons by the text of an error of `fetch`, which itself is never shown. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/refused/i, "connection refused"],
  [/dns error|lookup|resolve/i, "its host name cannot be resolved"],
  [/certificate/i, "its certificate is not trusted"],
  [/requires net access|not ?capable/i, "it needs --allow-net"],
  [/ports? .*blocked/i, "requests to this port are blocked"],
  [/tls|handshake|corrupt message|fatal alert/i, "the TLS handshake failed"],
  [/before message completed|unexpected eof|end of file/i, "it closed the connection"],
  [/reset|broken pipe|aborted/i, "it reset the connection"],
  [/invalid|parse|too large/i, "its answer is not valid HTTP"],
  [/timed out|timeout/i, "connection timed out"],
  [/unreachable|no route/i, "it is unreachable"],
];

/** Why there is no answer, in words of this file. */
function reasonOf(error: unknown, url: string): string {
  const texts: string[] = [];
  for (let cause = error; cause instanceof Error && texts.length < 5; cause = cause.cause) {
    texts.push(`${cause.name} ${cause.message}`);
  }
  const text = texts.join(" ").replaceAll(url, "");
  return REASONS.find(([pattern]) => pattern.test(text))?.[1] ?? "the connection failed";
}

/** `Retry-After` in milliseconds, https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,10}$/.test(value)) return Number(value) * 1000;
  const time = Date.parse(value);
  if (Number.isNaN(time)) return undefined;
  const sentAt = Date.parse(headers.get("date") ?? ""); // By the same clock, if it has one.
  return Math.max(0, time - (Number.isNaN(sentAt) ? Date.now() : sentAt));
}

/** Length of an excerpt. */
const MAX_EXCERPT_CHARACTERS = 200;

/** The beginning of a body; reads little more than that, however long it is. */
async function excerptOf(
  { body }: Response,
  url: string,
  headers: PostRequest["headers"],
): Promise<string> {
  let text = "";
  try {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.length >= MAX_EXCERPT_CHARACTERS) break;
    }
  } catch {
    // The status says enough.
  }
  const excerpt = text.slice(0, MAX_EXCERPT_CHARACTERS);
  return repeatsSecrets(excerpt, secretsOf(url, headers)) ? "" : excerpt;
}

/** What only the receiver is to know: all of the URL behind the host, and headers of the user's own. */
function secretsOf(url: string, headers: PostRequest["headers"]): string[] {
  const { username, password, pathname, search } = new URL(url);
  const own = [...new Headers(headers)].filter(([name]) => !/^(content|webhook)-/.test(name));
  return [username, password, pathname, search, ...own.map(([, value]) => value)];
}

/** Texts of fewer characters are no secrets; what is longer is looked for in pieces of this length. */
const MIN_SECRET = 4, PIECE = 6;

/** Whether the text has a piece of a secret in it, as it is or decoded: pages quote what was asked for. */
function repeatsSecrets(text: string, secrets: readonly string[]): boolean {
  const seen = [text, decode(text)].join("\n").toLowerCase();
  const words = secrets.flatMap((secret) => [secret, decode(secret)])
    .flatMap((secret) => secret.toLowerCase().split(/[/?&=#+\s]+/))
    .filter(({ length }) => length >= MIN_SECRET);
  return words.some((word) => piecesOf(word).some((piece) => seen.includes(piece)));
}

function piecesOf(word: string): string[] {
  const count = Math.max(1, word.length - PIECE + 1);
  return Array.from({ length: count }, (_, start) => word.slice(start, start + PIECE));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
