/**
 * Sends each update to a URL: a POST with the JSON that `feedsync tail` prints, signed as [Standard
 * Webhooks](https://www.standardwebhooks.com) says, so that the receiver knows that it comes from
 * here (`webhook-id`, `webhook-timestamp`, `webhook-signature`). `webhook-id` is the id of the
 * update, the same each time it is sent: it identifies repeats. An update that is restored, because
 * this server is new or was away, has `"restored": true`.
 *
 * What the answer means:
 *
 * - 2xx: done.
 * - 408, 425, 429, 502, 503, 504, no answer within `timeout`, or no connection: the receiver cannot
 *   take updates now. Reading waits, for as long as `Retry-After` says or up to a minute at a time,
 *   until it can.
 * - 401, 403, 407, any other 5xx, or a redirect: the call failed and is tried again, as with every
 *   plugin that throws.
 * - Any other 4xx: the receiver does not want this update; it becomes a dead letter.
 *
 * The URL may be a secret. Nothing of it but its origin gets into logs and dead letters; an answer
 * that repeats a part of it, or of a header, is not quoted.
 *
 * | option | default | |
 * |---|---|---|
 * | `url` | required | `https:` or `http:` |
 * | `secret` | one of the two | `whsec_` and base64, as from `echo "whsec_$(openssl rand -base64 32)"` |
 * | `secretEnv` | is required | the environment variable that holds the secret |
 * | `headers` | `{}` | more headers to send |
 * | `timeout` | `"10s"` | for one attempt, its answer included; `callbackTimeout` ends it, too |
 * | `concurrency` | 1 | number of POSTs that may be under way for the feeds of one publisher, at most 64; above 1, order holds per feed only |
 *
 * @example In feedsync.json
 * ```json
 * { "plugins": [["webhook", { "url": "https://example.com/feeds", "secretEnv": "HOOK_SECRET" }]] }
 * ```
 *
 * @module
 */
import {
  type AnyPlugin,
  BackendUnavailableError,
  ConfigError,
  definePlugin,
  RejectedUpdateError,
  updateToJson,
} from "@feedsync/feedsync";
import {
  type Answer,
  DURATION,
  DURATION_RULE,
  messageOf,
  originOf,
  parseDuration,
  post,
  Signer,
} from "@feedsync/feedsync/plugin";
import * as z from "zod";

/** Options of the plugin `webhook`: one of `secret` and `secretEnv` is required. */
export interface WebhookOptions {
  /** Where updates are POSTed to, `https:` or `http:`. */
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret?: string | undefined;
  /** The environment variable that holds the secret. */
  readonly secretEnv?: string | undefined;
  /** More headers to send. @default {{}} */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For one attempt, its answer included: such as `"10s"`, or milliseconds. @default {"10s"} */
  readonly timeout?: string | number | undefined;
  /**
   * Number of POSTs that may be under way for the feeds of one publisher: 1 to 64. @default {1}
   */
  readonly concurrency?: number | undefined;
}

/** The plugin `webhook`, for `connect` and `watch` in programs. */
const webhook: AnyPlugin<WebhookOptions> = definePlugin({
  name: "webhook",
  options: z.strictObject({
    url: z.url({ protocol: /^https?$/, error: "must be an https: or http: URL" }),
    secret: z.string().optional(),
    // Who takes it for 'secret' does not see the secret in a message about a variable of that name.
    secretEnv: z.string().regex(
      /^(?!whsec_)[A-Za-z_][A-Za-z0-9_]*$/,
      "must be the name of an environment variable",
    ).optional(),
    headers: z.record(z.string(), z.string()).default({}),
    timeout: z.union([z.number(), z.string().regex(DURATION, DURATION_RULE)], DURATION_RULE)
      .default("10s").transform(parseDuration).pipe(z.number().positive().max(3_600_000)),
    concurrency: z.int().min(1).max(64).default(1),
  }).refine(({ secret, secretEnv }) => (secret === undefined) !== (secretEnv === undefined), {
    error: "exactly one of 'secret' and 'secretEnv' must be given",
  }),
  concurrency: ({ concurrency }) => concurrency,
  async setup({ options }) {
    const { host } = new URL(options.url);
    const { state } = await Deno.permissions.query({ name: "net", host });
    if (state !== "granted") {
      throw new ConfigError(`Cannot POST to ${host}: it needs --allow-net=${host}`);
    }
    return { signer: openSigner(options), headers: checkHeaders(options.headers) };
  },
  async onUpdate(update, { options, state, signal }) {
    const body = new TextEncoder().encode(JSON.stringify(updateToJson(update)));
    const headers = new Headers(state.headers);
    headers.set("content-type", "application/json");
    const signature = state.signer.sign(update.id, body, Date.now());
    for (const [name, value] of Object.entries(signature)) headers.set(name, value);
    const answer = await send(options, { body, headers }, signal);
    if (!answer.ok) throw failure(update.url, options.url, answer);
  },
});
export default webhook;

function openSigner({ secret, secretEnv }: { secret?: string; secretEnv?: string }): Signer {
  const value = secretEnv === undefined ? secret : Deno.env.get(secretEnv);
  const place = secretEnv === undefined ? "'secret'" : `the environment variable ${secretEnv}`;
  if (!value) throw new ConfigError(`Cannot sign webhooks as ${place} is not set`);
  try {
    return new Signer(value);
  } catch {
    throw new ConfigError(`Cannot sign webhooks as ${place} is not "whsec_" and base64`);
  }
}

function checkHeaders(headers: Record<string, string>): Headers {
  const checked = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    try {
      checked.set(name, value);
    } catch {
      throw new ConfigError(
        `Cannot send webhooks as the header ${JSON.stringify(name)} is invalid`,
      );
    }
  }
  return checked;
}

/** Sends one request, which has `timeout` for all of it. */
async function send(
  { url, timeout }: { url: string; timeout: number },
  request: { body: Uint8Array; headers: Headers },
  signal: AbortSignal,
): Promise<Answer> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  try {
    return await post(url, { ...request, signal: ended });
  } catch (error) {
    signal.throwIfAborted();
    const reason = ended.aborted ? `no answer within ${timeout} ms` : messageOf(error);
    throw new BackendUnavailableError(`Cannot POST to ${originOf(url)}: ${reason}`);
  }
}

/** The receiver is overloaded, restarting, or away behind a proxy. */
const UNAVAILABLE = [408, 425, 429, 502, 503, 504];

/** Client errors that do not judge the update either: wrong credentials. */
const NOT_ALLOWED = [401, 403, 407];

function failure(feed: string, url: string, { status, excerpt, retryAfterMs }: Answer): Error {
  const answer = `${originOf(url)} answered ${status} to ${feed}` +
    (excerpt === "" ? "" : `: ${JSON.stringify(excerpt)}`);
  if (UNAVAILABLE.includes(status)) return new BackendUnavailableError(answer, { retryAfterMs });
  if (status >= 300 && status < 400) {
    return new Error(`${answer}; redirects are not followed, change 'url' to where it leads`);
  }
  const isFinal = status >= 400 && status < 500 && !NOT_ALLOWED.includes(status);
  return isFinal ? new RejectedUpdateError(answer) : new Error(answer);
}
