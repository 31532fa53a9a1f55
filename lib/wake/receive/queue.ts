/**
 * Receives bucket events from a queue of Amazon SQS or a compatible service. Each server needs its
 * own queue.
 *
 * @module
 */
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { getLogger } from "@logtape/logtape";
import type { S3Config } from "../../config/s3.ts";
import { Backoff } from "../../base/backoff.ts";
import { sleep } from "../../base/environment.ts";
import { messageOf } from "../../errors.ts";
import { originOf } from "../../base/http_post.ts";
import { OnceLog } from "../../base/once_log.ts";
import type { OnCommit, StartSource, WakeUpParts } from "../source.ts";
import { withDeadline } from "../../base/deadline.ts";
import { isOutdated } from "../../stores/s3/answers.ts";
import { RequestHandler } from "../../stores/s3/request_handler.ts";
import { credentialsFor } from "../../stores/s3/credentials.ts";
import { commitsIn } from "./s3_events.ts";

const logger = getLogger(["feedsync", "wake"]);

/** How long a request waits for messages, and how many it takes: the maximum values of SQS. */
const LONG_POLL_S = 20, MAX_MESSAGES = 10;

/** Time limit for an answer of the service. */
const TIMEOUT_MS = 10_000;

/** Delay after a failure. */
const RETRY_RANGE = { minMs: 1000, maxMs: 60_000 };

/** Options of {@linkcode listenToQueue}. */
export interface QueueOptions extends Pick<WakeUpParts, "environment"> {
  /** Credentials, and the region if the queue's URL does not name it. */
  readonly s3: S3Config;
  /** URL of this server's store: events of other stores are ignored. */
  readonly store: string;
  /** Called for each commit. */
  readonly onCommit: OnCommit;
}

/** Listens to the queues of the configuration. */
export const startQueues: StartSource = (
  { wake, s3 },
  { log: { url: store }, environment },
  onCommit,
) => {
  const queues = new AsyncDisposableStack();
  for (const { sqs } of wake.queues) {
    queues.use(listenToQueue(sqs, { s3, store, environment, onCommit }));
  }
  return queues;
};

/** Listens to the queue with this URL until it is disposed of. */
export function listenToQueue(url: string, options: QueueOptions): AsyncDisposable {
  const queue = new Queue(url, options);
  const listening = queue.listen();
  return {
    async [Symbol.asyncDispose]() {
      queue.stop();
      await listening;
    },
  };
}

class Queue {
  readonly #url: string;
  readonly #options: QueueOptions;
  readonly #client: SQSClient;
  readonly #stopping = new AbortController();

  constructor(url: string, options: QueueOptions) {
    const { s3, s3: { profile, region } } = options;
    // Deno's own fetch obeys its proxy settings.
    const requestHandler = new RequestHandler();
    this.#url = url;
    this.#options = options;
    this.#client = new SQSClient({
      profile,
      region: /^sqs\.([a-z0-9-]+)\./.exec(new URL(url).hostname)?.[1] ?? region ?? "us-east-1",
      endpoint: new URL(url).origin,
      requestHandler,
      credentials: credentialsFor(s3, requestHandler),
    });
  }

  stop(): void {
    this.#stopping.abort();
  }

  async listen(): Promise<void> {
    const { clock, random } = this.#options.environment;
    const { signal } = this.#stopping;
    const problems = new OnceLog(logger, clock);
    const backoff = new Backoff(random, RETRY_RANGE);
    const url = originOf(this.#url);
    while (!signal.aborted) {
      try {
        await this.#takeMessages();
        backoff.succeed();
        problems.resolved(url, {
          text: "The queue {url} can be reached again",
          properties: { url },
        });
      } catch (error) {
        if (signal.aborted) break;
        if (isOutdated(error)) await this.#renewCredentials();
        problems.problem(url, {
          text: "Cannot reach the queue {url}: {message} (retrying; polls go on)",
          properties: { url, message: messageOf(error) },
        });
        await sleep(clock, backoff.fail(), signal).catch(() => {});
      }
    }
    this.#client.destroy();
  }

  async #renewCredentials(): Promise<void> {
    const { credentials } = this.#client.config;
    // If this fails, the next attempt reports it.
    const renewing = () => credentials({ forceRefresh: true });
    await this.#inTime(TIMEOUT_MS, renewing, this.#stopping.signal).catch(() => {});
  }

  async #takeMessages(): Promise<void> {
    const receive = new ReceiveMessageCommand({
      QueueUrl: this.#url,
      WaitTimeSeconds: LONG_POLL_S,
      MaxNumberOfMessages: MAX_MESSAGES,
    });
    const { Messages: messages = [] } = await this.#inTime(
      LONG_POLL_S * 1000 + TIMEOUT_MS,
      (abortSignal) => this.#client.send(receive, { abortSignal }),
      this.#stopping.signal,
    );
    if (messages.length === 0) return;
    for (const message of messages) this.#take(message);
    // Also deletes messages that are not bucket events: they would be received again and again.
    const remove = new DeleteMessageBatchCommand({
      QueueUrl: this.#url,
      Entries: messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
    });
    await this.#inTime(TIMEOUT_MS, (abortSignal) => this.#client.send(remove, { abortSignal }));
  }

  /** Sends a request with a time limit, which the SDK does not set. */
  async #inTime<T>(
    timeoutMs: number,
    request: (abortSignal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { clock } = this.#options.environment;
    return await withDeadline(request, { clock, timeoutMs, signal });
  }

  #take({ Body: body = "" }: Message): void {
    const { store, onCommit } = this.#options;
    const commits = commitsIn(body, store);
    if (!commits) {
      logger.debug("Ignored a message in {url} that is not a bucket event: {body}", {
        url: originOf(this.#url),
        body: body.slice(0, 200),
      });
    }
    for (const name of commits ?? []) onCommit(name);
  }
}
