import { BucketLog } from "../../lib/log/bucket_log.ts";
import type { Envelope } from "../../lib/log/encryption/envelope.ts";
import { parseKey } from "../../lib/log/names.ts";
import type { NewestUpdate } from "../../lib/log/newest/body.ts";
import { compareUpdates } from "../../lib/log/update_order.ts";
import type { Fleet } from "../fixture.ts";

/** The log as a server with these keys sees it. */
export function logOf({ store, time: environment }: Fleet, envelope?: Envelope): BucketLog {
  return new BucketLog(store, { environment, envelope });
}

/** What a cleanup after the retention leaves: the newest update of each feed, for good, and no log. */
export async function expire(fleet: Fleet, envelope?: Envelope): Promise<NewestUpdate[]> {
  const log = logOf(fleet, envelope);
  const newest = new Map<string, NewestUpdate>();
  for (const key of [...fleet.keys("tail/"), ...fleet.keys("segments/")]) {
    const name = parseKey(key)!;
    for (const stored of (await log.read(name))!.decode().updates) {
      const update = { ...stored, stream: name.stream }, known = newest.get(update.url);
      if (!known || compareUpdates(orderOf(known), orderOf(update)) < 0) {
        newest.set(update.url, update);
      }
    }
    fleet.store.objects.delete(key);
  }
  for (const update of newest.values()) await log.newest.write(update);
  return [...newest.values()];
}

function orderOf({ time, id }: NewestUpdate) {
  return { time: Date.parse(time), id };
}
