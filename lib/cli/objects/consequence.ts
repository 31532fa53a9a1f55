/**
 * What it means to delete an object.
 *
 * @module
 */
import type { BucketLog } from "../../log/bucket_log.ts";
import { PlainObjectError } from "../../log/encryption/envelope.ts";
import { type ObjectName, serverOf } from "../../log/names.ts";
import { newestFirst, type NewestName } from "../../log/newest/names.ts";
import type { InspectedObject } from "../../log/objects/object_log.ts";
import { chainFrom } from "../../reading/chain.ts";
import type { StoreOptions } from "../../stores/store.ts";
import { timeText } from "./text.ts";

/** Whether somebody may still read an object: then it is deleted only on request. */
export function mayBeReadable({ content, unreadable }: InspectedObject): boolean {
  if (!unreadable) return content !== undefined;
  // Others may have the key, the right, a newer version, or accept what is not encrypted.
  return unreadable.reason !== "corrupt" || unreadable.error instanceof PlainObjectError;
}

/** What the other servers lose if this object is deleted, in a sentence without a full stop. */
export async function consequenceOf(
  log: BucketLog,
  { meaning }: InspectedObject,
  options: StoreOptions,
): Promise<string> {
  switch (meaning.kind) {
    case "commit":
    case "segment":
      return await lossOfUpdates(log, meaning.name, options);
    case "newest":
    case "tombstone":
      return await lossOfNewest(log, meaning.name, options);
    case "presence":
      return `${meaning.name.server} is not seen by the others until it tells of itself again, which it ` +
        `does every ${meaning.name.interval} s while it runs`;
    case "list":
      return "Feeds in this list may be fetched twice by servers that have not read it, until it is " +
        "written again";
    case "checks":
      return `Servers that take over feeds of ${meaning.server} may fetch them early, once`;
    case "marker":
      return "The next commit writes it again";
    case "probe":
      return "No server reads it";
    case "foreign":
      return "It is not feedsync's, and no server reads it";
  }
}

async function lossOfUpdates(
  log: BucketLog,
  { key, stream, first, last }: ObjectName,
  options: StoreOptions,
): Promise<string> {
  const listed = [
    ...await log.listStream("tail", stream, options),
    ...await log.listStream("segments", stream, options),
  ];
  const others = listed.filter((other) => other.key !== key);
  const server = serverOf(stream);
  const updates = first === last ? `update ${first}` : `updates ${first} to ${last}`;
  if ((chainFrom(others, first - 1).at(-1)?.last ?? 0) >= last) {
    return `Other objects hold ${updates} of ${server}, too`;
  }
  const isEnd = others.every((other) => other.last < last);
  const end = isEnd ? `; ${server} begins a new stream, because this is the end of its own` : "";
  return `Servers that have not read it report a gap, ${updates} of ${server}, and restore ` +
    `the newest update of each feed from newest/; what they lack then must be published again on ` +
    `${server}${end}`;
}

async function lossOfNewest(
  log: BucketLog,
  { key, hash }: NewestName,
  options: StoreOptions,
): Promise<string> {
  const others = (await log.newest.listGroup(hash, options)).filter((other) => other.key !== key);
  const [next] = newestFirst(others, log.now());
  const instead = next
    ? `the ${next.isRemoved ? "removal" : "update"} of ${timeText(next.time)} instead`
    : "nothing of this feed until it is published again";
  return `Unless this update is in tail/ or segments/, too, servers that restore its feed get ${instead}`;
}
