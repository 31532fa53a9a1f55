import { BucketLog } from "../../lib/log/bucket_log.ts";
import type { Envelope } from "../../lib/log/encryption/envelope.ts";
import type { NewestName } from "../../lib/log/newest/names.ts";
import { asSeq } from "../../lib/log/positions.ts";
import type { FeedContent } from "../../lib/update.ts";
import { type Fleet, urlOf } from "../fixture.ts";

/** What is kept of a feed in a test. */
type Kept = FeedContent & {
  readonly url?: string;
  /** Milliseconds since 1970. @default now */
  readonly time?: number;
  readonly envelope?: Envelope;
};

/** Puts an update of `old-1` under `newest/`, as a cleanup does. */
export async function keep(
  fleet: Fleet,
  { envelope, url, time = fleet.time.clock.now(), content = "kept", removed }: Kept = {},
): Promise<NewestName> {
  const { newest } = new BucketLog(fleet.store, { environment: fleet.time, envelope });
  return await newest.write({
    stream: "old-1_abcdefgh",
    seq: asSeq(1),
    id: crypto.randomUUID(),
    url: url ?? urlOf(String(content)),
    time: new Date(time).toISOString(),
    metadata: {},
    ...removed ? { content: undefined, removed: true } : { content },
  });
}

/** How many requests are sent while `work` is under way. */
export async function requestsOf(
  { store: { requests } }: Fleet,
  work: () => Promise<unknown>,
): Promise<{ get: number; list: number }> {
  const { get, list } = requests;
  await work();
  return { get: requests.get - get, list: requests.list - list };
}
