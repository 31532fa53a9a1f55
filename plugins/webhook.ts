/**
 * Sends each update to a URL: a POST with the JSON that `feedsync tail` prints, signed as
 * [Standard Webhooks](https://www.standardwebhooks.com) says, so that the receiver knows that it
 * comes from here (`webhook-id`, `webhook-timestamp`, `webhook-signature`). `webhook-id` is the id of
 * the update, the same each time it is sent: it tells repeats.
 *
 * What the answer means:
 *
 * - 2xx: done.
 * - 401, 403, 407, 408, 425, 429, 5xx, a redirect, or none within `timeout`: tried again like every
 *   plugin that throws, first a few times, then, if one update after the other fails, until it works.
 * - Any other 4xx: the receiver does not want this update; it becomes a dead letter.
 *
 * | option | default | |
 * |---|---|---|
 * | `url` | required | `https:` or `http:` |
 * | `secret` | one of the two | `whsec_` and base64, as from `echo "whsec_$(openssl rand -base64 32)"` |
 * | `secretEnv` | is required | the environment variable that holds the secret |
 * | `headers` | `{}` | more headers to send |
 * | `timeout` | `"10s"` | for one attempt, its answer included; `callbackTimeout` ends it, too |
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
  ConfigError,
  definePlugin,
  RejectedUpdateError,
  updateToJson,
} from "@feedsync/feedsync";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { DURATION, DURATION_RULE, parseDuration } from "../lib/duration.ts";
import { messageOf } from "../lib/errors.ts";
import { excerpt } from "../lib/excerpt.ts";
import { WEBHOOK_SECRET } from "../lib/wake/signature.ts";

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
}

/** The plugin `webhook`, for `connect` and `watch` in programs. */
const webhook: AnyPlugin<WebhookOptions> = definePlugin({
  name: "webhook",
  options: z.strictObject({
    url: z.url({ protocol: /^https?$/, error: "must be an https: or http: URL" }),
    secret: z.string().optional(),
    secretEnv: z.string().optional(),
    headers: z.record(z.string(), z.string()).default({}),
    timeout: z.union([z.number(), z.string().regex(DURATION, DURATION_RULE)], DURATION_RULE)
      .default("10s").transform(parseDuration).pipe(z.number().positive().max(3_600_000)),
  }).refine(({ secret, secretEnv }) => (secret === undefined) !== (secretEnv === undefined), {
    error: "exactly one of 'secret' and 'secretEnv' must be given",
  }),
  async setup({ options }) {
    const { host } = new URL(options.url);
    const { state } = await Deno.permissions.query({ name: "net", host });
    if (state !== "granted") {
      throw new ConfigError(`Cannot POST to ${host}: it needs --allow-net=${host}`);
    }
    return { webhook: openWebhook(options), headers: checkHeaders(options.headers) };
  },
  async onUpdate(update, { options, state, signal }) {
    const body = JSON.stringify(updateToJson(update));
    const now = new Date();
    const headers = new Headers(state.headers);
    headers.set("content-type", "application/json");
    headers.set("webhook-id", update.id);
    headers.set("webhook-timestamp", String(Math.floor(now.getTime() / 1_000)));
    headers.set("webhook-signature", state.webhook.sign(update.id, now, body));
    const response = await post(options, { body, headers }, signal);
    if (!response.ok) throw await failure(update.url, options.url, response);
    await response.body?.cancel();
  },
});
export default webhook;

function openWebhook({ secret, secretEnv }: { secret?: string; secretEnv?: string }): Webhook {
  const value = secretEnv === undefined ? secret : Deno.env.get(secretEnv);
  const place = secretEnv === undefined ? "'secret'" : `the environment variable ${secretEnv}`;
  if (!value) throw new ConfigError(`Cannot sign webhooks as ${place} is not set`);
  // The library takes what is not base64 without complaint, and signs with something else.
  if (WEBHOOK_SECRET.test(value)) return new Webhook(value);
  throw new ConfigError(`Cannot sign webhooks as ${place} is not "whsec_" and base64`);
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

/** Follows no redirects: what is sent is for the configured receiver alone. */
async function post(
  { url, timeout }: { url: string; timeout: number },
  request: { body: string; headers: Headers },
  signal: AbortSignal,
): Promise<Response> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  try {
    return await fetch(url, { method: "POST", redirect: "manual", signal: ended, ...request });
  } catch (error) {
    signal.throwIfAborted();
    const reason = ended.aborted ? `no answer within ${timeout} ms` : reasonOf(error);
    throw new Error(`Cannot POST to ${nameOf(url)}: ${reason}`);
  }
}

/** The rest of the URL may be a secret, here and in what `fetch` says. */
function nameOf(url: string): string {
  return new URL(url).origin;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause ?? error : error;
  return messageOf(cause).replace(/ for url \(\S*\)/, "");
}

/** Client errors that do not judge the update: wrong credentials, or too early, too many. */
const TRY_AGAIN = [401, 403, 407, 408, 425, 429];

async function failure(feed: string, url: string, response: Response): Promise<Error> {
  const { status } = response;
  const answer = `${nameOf(url)} answered ${status} to ${feed}: ${
    JSON.stringify(await excerpt(response))
  }`;
  if (status >= 300 && status < 400) {
    return new Error(`${answer}; redirects are not followed, change 'url' to where it leads`);
  }
  const final = status >= 400 && status < 500 && !TRY_AGAIN.includes(status);
  return final ? new RejectedUpdateError(answer) : new Error(answer);
}
