/**
 * Listings of a bucket, page after page, whatever the service makes of order and of `start-after`.
 *
 * @module
 */
import { ListObjectsV2Command, type ListObjectsV2CommandInput } from "@aws-sdk/client-s3";
import { getLogger } from "@logtape/logtape";
import { StoreUnavailableError } from "../../errors.ts";
import { checkPrefix } from "../object_key.ts";
import { isMissingBucket, statusOf } from "./answers.ts";
import { type Page, readPage } from "./bodies.ts";
import type { Bucket } from "./bucket.ts";
import type { ListOptions, ObjectInfo } from "../store.ts";

const logger = getLogger(["feedsync", "store"]);

/** So many pages in a row may be empty at first: services leave out what was deleted. */
const MAX_EMPTY_PAGES = 1_000;

/** Why `start-after` is not used any more. */
const REASONS = {
  unsorted: "does not list its keys in their order",
  refused: "refuses listings with start-after",
};

/** Lists objects, and remembers whether the service can start a listing behind a key. */
export class Lister {
  readonly #bucket: Bucket;
  #canStartAfter = true;
  #maxEmptyPages = MAX_EMPTY_PAGES;

  /** Lists objects in `bucket`. */
  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /**
   * See {@linkcode ObjectStore.list}.
   *
   * @throws {StoreUnavailableError} also when the service does not go on where a page ends.
   */
  async *list(prefix: string, { startAfter, signal }: ListOptions): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    const pages = new PageOrder(this.#maxEmptyPages);
    let start = this.#canStartAfter && startAfter ? startAfter : undefined;
    let next: string | undefined;
    do {
      const page = await this.#page(prefix, { start, next, signal });
      if (!page) return;
      if (page.isWhole) start = undefined;
      pages.add(page, (problem) => this.#fail(problem, prefix));
      this.#maxEmptyPages = Math.max(this.#maxEmptyPages, 2 * pages.emptyPages);
      if (!pages.isSorted) this.#dropStartAfter("unsorted");
      // What was left out is not known: all is listed anew.
      if (!pages.isSorted && start !== undefined) return yield* this.list(prefix, { signal });
      yield* page.objects.filter(({ key }) => key.startsWith(prefix));
      next = page.next;
    } while (next !== undefined);
  }

  /** One page; undefined when there is no bucket. The first one may do without `start`. */
  async #page(
    prefix: string,
    { start, next, signal }: { start?: string; next?: string; signal?: AbortSignal },
  ): Promise<(Page & { readonly isWhole: boolean }) | undefined> {
    const { name, prefix: root } = this.#bucket;
    const selection = {
      Bucket: name,
      Prefix: root + prefix,
      // XML cannot hold every key that others may have put there.
      EncodingType: "url",
      ContinuationToken: next,
    } as const;
    if (start === undefined) {
      const page = await this.#request(prefix, selection, signal);
      return page && { ...page, isWhole: true };
    }
    try {
      const page = await this.#request(prefix, { ...selection, StartAfter: root + start }, signal);
      return page && { ...page, isWhole: false };
    } catch (error) {
      if (next !== undefined || !mayRefuse(error)) throw error;
    }
    const page = await this.#request(prefix, selection, signal);
    this.#dropStartAfter("refused");
    return page && { ...page, isWhole: true };
  }

  #request(
    prefix: string,
    input: ListObjectsV2CommandInput,
    signal: AbortSignal | undefined,
  ): Promise<Page | undefined> {
    const command = new ListObjectsV2Command(input);
    return this.#bucket.request(
      `listing ${prefix || "all objects"}`,
      { signal },
      async (client, deadline) =>
        readPage(
          await client.send(command, { abortSignal: deadline.signal }),
          this.#bucket.prefix,
        ),
    );
  }

  #dropStartAfter(reason: keyof typeof REASONS): void {
    if (!this.#canStartAfter) return;
    this.#canStartAfter = false;
    logger.info(
      "The store {url} {reason}: every listing takes in all of a stream from now on, nothing is lost",
      { url: this.#bucket.url, reason: REASONS[reason] },
    );
  }

  #fail(problem: string, prefix: string): never {
    throw new StoreUnavailableError(
      `Cannot use the store ${this.#bucket.url} while listing ${prefix || "all objects"}: ` +
        `${problem}; the service, or a proxy before it, does not page listings as S3 does`,
    );
  }
}

/** Whether it may be `start-after` that was refused, by the service or a firewall before it. */
function mayRefuse(error: unknown): boolean {
  const status = statusOf(error);
  return status !== undefined && ![429, 503].includes(status) && !isMissingBucket(error);
}

/** What the pages of a listing show of its order, and of whether it goes on. */
class PageOrder {
  /** Each key comes after the one before it. */
  isSorted = true;
  #last = "";
  #first: ReadonlySet<string> | undefined;
  #previous: ReadonlySet<string> = new Set();
  readonly #tokens = new Set<string>();
  readonly #maxEmptyPages: number;
  /** How many pages in a row, up to the last one, were empty. */
  emptyPages = 0;

  /** Of a listing that may have so many empty pages in a row. */
  constructor(maxEmptyPages: number) {
    this.#maxEmptyPages = maxEmptyPages;
  }

  /** Takes in the next page; calls `fail` when it is none. */
  add({ objects, next, isTruncated }: Page, fail: (problem: string) => never): void {
    const keys = new Set(objects.map(({ key }) => key));
    const isAmong = (known: ReadonlySet<string> = new Set()) =>
      objects.length > 0 && objects.every(({ key }) => known.has(key));
    if (isAmong(this.#first) || isAmong(this.#previous)) fail("the same page came again");
    if (isTruncated && next === undefined) {
      fail("a page was cut short without a continuation token");
    }
    if (next !== undefined && this.#tokens.has(next)) {
      fail("a continuation token led to the same token again");
    }
    this.emptyPages = objects.length === 0 ? this.emptyPages + 1 : 0;
    if (this.emptyPages > this.#maxEmptyPages) {
      fail(`more than ${this.#maxEmptyPages} pages were empty`);
    }
    for (const { key } of objects) {
      if (key < this.#last) this.isSorted = false;
      this.#last = key;
    }
    this.#first ??= keys;
    this.#previous = keys;
    if (next !== undefined) this.#tokens.add(next);
  }
}
