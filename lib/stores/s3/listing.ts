/**
 * Lists a bucket page by page, also at services that do not sort keys or do not support
 * `start-after`.
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

/** Initial maximum number of consecutive empty pages: services may page over deleted objects. */
const MAX_EMPTY_PAGES = 1_000;

/** Reasons to stop using `start-after`. */
const REASONS = {
  unsorted: "does not list its keys in order",
  refused: "refuses listings with start-after",
};

/** Lists objects, and remembers whether the service supports `start-after`. */
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
   * @throws {StoreUnavailableError} also when the service does not continue where a page ends.
   */
  async *list(prefix: string, { startAfter, signal }: ListOptions): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    const pages = new PageOrder(this.#maxEmptyPages);
    let start = this.#canStartAfter && startAfter ? startAfter : undefined;
    let next: string | undefined;
    do {
      const page = await this.#page(prefix, { start, next, signal });
      if (page.isWhole) start = undefined;
      pages.add(page, (problem) => this.#fail(problem, prefix));
      this.#maxEmptyPages = Math.max(this.#maxEmptyPages, 2 * pages.emptyPages);
      if (!pages.isSorted) this.#dropStartAfter("unsorted");
      // Keys may have been left out, so list everything again.
      if (!pages.isSorted && start !== undefined) return yield* this.list(prefix, { signal });
      yield* page.objects.filter(({ key }) => key.startsWith(prefix));
      next = page.next;
    } while (next !== undefined);
  }

  /**
   * Requests one page. The first one is requested again without `start` if the service refuses that.
   */
  async #page(
    prefix: string,
    { start, next, signal }: { start?: string; next?: string; signal?: AbortSignal },
  ): Promise<Page & { readonly isWhole: boolean }> {
    const { name, prefix: root } = this.#bucket;
    const selection = {
      Bucket: name,
      Prefix: root + prefix,
      // Foreign keys may contain characters that XML does not allow.
      EncodingType: "url",
      ContinuationToken: next,
    } as const;
    if (start === undefined) {
      const page = await this.#request(prefix, selection, signal);
      return { ...page, isWhole: true };
    }
    try {
      const page = await this.#request(prefix, { ...selection, StartAfter: root + start }, signal);
      return { ...page, isWhole: false };
    } catch (error) {
      if (next !== undefined || !mayRefuse(error)) throw error;
    }
    const page = await this.#request(prefix, selection, signal);
    this.#dropStartAfter("refused");
    return { ...page, isWhole: true };
  }

  #request(
    prefix: string,
    input: ListObjectsV2CommandInput,
    signal: AbortSignal | undefined,
  ): Promise<Page> {
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
      "The store {url} {reason}: from now on each listing covers a whole stream, which takes " +
        "more requests but loses no updates",
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

/** Whether the service, or a firewall before it, may have refused `start-after`. */
function mayRefuse(error: unknown): boolean {
  const status = statusOf(error);
  return status !== undefined && ![429, 503].includes(status) && !isMissingBucket(error);
}

/** Checks the order of the keys in a listing, and that it makes progress. */
class PageOrder {
  /** Whether each key sorts after the one before it. */
  isSorted = true;
  #last = "";
  #first: ReadonlySet<string> | undefined;
  #previous: ReadonlySet<string> = new Set();
  readonly #tokens = new Set<string>();
  readonly #maxEmptyPages: number;
  /** Number of consecutive empty pages, up to the last one. */
  emptyPages = 0;

  /** Checks a listing with at most `maxEmptyPages` consecutive empty pages. */
  constructor(maxEmptyPages: number) {
    this.#maxEmptyPages = maxEmptyPages;
  }

  /** Checks the next page; calls `fail` when the listing does not make progress. */
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
