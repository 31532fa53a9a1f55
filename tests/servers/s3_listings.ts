/**
 * A service that lists keys as some do: in any order, with or without `start-after`, with pages that do
 * not lead on.
 *
 * @module
 */
import { httpServer, type Server } from "./http.ts";

/** How it lists. */
export interface ListingHabits {
  /** Whole keys in the bucket, in the order in which they are listed. */
  readonly keys: readonly string[];
  /** Keys on a page. @default 1000 */
  readonly pageSize?: number;
  /** What becomes of a request; undefined: it is answered as usual. */
  readonly answer?: (query: URLSearchParams) => Response | undefined;
  /** The token for the page that begins at `index`. @default it is the index */
  readonly token?: (index: number) => string | undefined;
  /** Where the page of a request begins. @default where its token or `start-after` says */
  readonly begin?: (query: URLSearchParams) => number;
  /** Lists what has another prefix, too. @default false */
  readonly ignoresPrefix?: boolean;
}

/** Starts it; `queries` has what was asked for. */
export function listingServer(
  habits: ListingHabits,
): Server & { readonly queries: URLSearchParams[] } {
  const queries: URLSearchParams[] = [];
  const server = httpServer((request) => {
    const query = new URL(request.url).searchParams;
    queries.push(query);
    return habits.answer?.(query) ?? page(habits, query);
  });
  return Object.assign(server, { queries });
}

function page(
  { keys, pageSize = 1000, token = String, begin, ignoresPrefix = false }: ListingHabits,
  query: URLSearchParams,
): Response {
  const prefix = query.get("prefix") ?? "";
  const listed = keys.filter((key) => ignoresPrefix || key.startsWith(prefix));
  const from = begin?.(query) ?? beginOf(listed, query);
  const end = Math.min(from + pageSize, listed.length);
  const next = end < listed.length ? token(end) : undefined;
  return new Response(
    `<ListBucketResult><IsTruncated>${end < listed.length}</IsTruncated>` +
      (next === undefined ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`) +
      listed.slice(from, end).map((key) => `<Contents><Key>${key}</Key></Contents>`).join("") +
      "</ListBucketResult>",
    { headers: { "content-type": "application/xml" } },
  );
}

/** A service that keeps keys in an order of its own starts there behind the first that is "after". */
function beginOf(listed: readonly string[], query: URLSearchParams): number {
  const token = query.get("continuation-token"), after = query.get("start-after");
  if (token !== null) return Number(token);
  if (after === null) return 0;
  const index = listed.findIndex((key) => key > after);
  return index === -1 ? listed.length : index;
}
