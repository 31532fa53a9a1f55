import { feedIdentity } from "../../lib/feed_url.ts";
import type { KeptObject, StoredObject } from "./bucket.ts";
import type { Process } from "./process.ts";
import type { Author, World } from "./world.ts";

/** A store's clock is only known to about a second. */
const CLOCK_TOLERANCE = 2000;

/** What was stored must be what was accepted, and a seq must mean the same update for ever. */
export function checkPut(world: World, disk: Author, object: StoredObject): void {
  const { ledger, bucket } = world;
  const { name, places } = object;
  // Conflicting updates are published again in a separate stream, those of other copies, too.
  const isApart = name.stream !== disk.stream && disk.family.copied;
  if (isApart) ledger.families.set(name.stream, disk.family);
  for (const { stream, seq, update } of places) {
    const accepted = ledger.accepted.get(update.id);
    if (!accepted || accepted.url !== update.url || accepted.content !== update.content) {
      world.fail(`${name.key} holds at ${seq} what was not accepted`);
    }
    if (!disk.accepted.has(update.id) && !isApart) {
      world.fail(`${name.key} holds another state's ${seq}`);
    }
    if (bucket.at(stream, seq).length > 1 && !disk.family.copied) {
      world.fail(`${stream}/${seq} means two updates, and the state was never copied`);
    }
  }
}

/** What is kept for good must be what was accepted. */
export function checkKeeping(world: World, { name, update }: KeptObject): void {
  const accepted = world.ledger.accepted.get(update.id);
  if (accepted?.url !== update.url || accepted.content !== update.content) {
    world.fail(`${name.key} holds what was not accepted`);
  }
}

/** The newest update of a feed stays in the bucket: in the log, or kept for good. */
export function checkStillKept(world: World, object: StoredObject | KeptObject): void {
  const { bucket, ledger, timeline, mix } = world;
  // What nobody could read for so long may go.
  if (timeline.now - object.lastModified > 10 * mix.retention - CLOCK_TOLERANCE) return;
  const updates = "places" in object ? object.places.map(({ update }) => update) : [object.update];
  for (const { id, url } of updates) {
    if (ledger.newest.get(feedIdentity(url))?.id !== id) continue;
    const isKept = [...bucket.kept.values()].some(({ update }) => update.id === id) ||
      [...bucket.objects.values()].some(({ places }) => places.some((p) => p.update.id === id));
    if (isKept) continue;
    if (ledger.isForgotten(feedIdentity(url), timeline.now)) ledger.recount(bucket, timeline.now);
    else world.fail(`${object.name.key} was deleted with the newest update of ${url}`);
  }
}

/** Whether a deletion is a cleanup's; otherwise a publisher deletes what it has sealed. */
export function isExpired({ lastModified }: StoredObject, { timeline, mix }: World): boolean {
  return timeline.now - lastModified > mix.retention - CLOCK_TOLERANCE;
}

/** What is younger than the retention may only be deleted when others hold the same updates. */
export function checkDeleted(world: World, object: StoredObject): void {
  const { name: { key, stream }, places } = object;
  if (isExpired(object, world)) return;
  const { copied } = world.ledger.families.get(stream)!;
  const missing = places.find((place) => place.objects === 0);
  if (missing && !copied) world.fail(`${key} was deleted, and nothing else holds ${missing.seq}`);
}

/** The newest commit stays for twice the retention. */
export function checkNewest(world: World, object: StoredObject): void {
  const { name, lastModified } = object;
  const { bucket, timeline, mix } = world;
  if (name.kind !== "tail" || timeline.now - lastModified > 2 * mix.retention - CLOCK_TOLERANCE) {
    return;
  }
  for (const { name: other } of bucket.objects.values()) {
    if (other.kind === "tail" && other.stream === name.stream && other.last > name.last) return;
  }
  if (world.ledger.families.get(name.stream)!.copied && !isExpired(object, world)) return;
  world.fail(`${name.key} was deleted, the newest commit`);
}

/** Nobody deletes what he waits for before it is ten times as old as the rest becomes. */
export function checkUnread({ world, server, state, waitsFor }: Process, keys: readonly string[]) {
  const { bucket, timeline, mix } = world;
  for (const key of keys.filter((key) => waitsFor.has(key))) {
    const object = bucket.objects.get(key);
    if (!object || timeline.now - object.lastModified > 10 * mix.retention - CLOCK_TOLERANCE) {
      continue;
    }
    const { stream, last } = object.name;
    if (server.canRead(stream) || state.cursors.get(stream) >= last) continue;
    world.fail(`${server.label} deletes ${key}, which it waits for`);
  }
}

/**
 * What remains of a stream has no hole, unless what is before it has expired, too. Sealing may put what has
 * expired into a young segment, and others may delete the rest of it meanwhile.
 */
export function checkHoles(world: World, stream: string): void {
  const { timeline, mix } = world;
  const oldest = timeline.now - mix.retention + CLOCK_TOLERANCE;
  const isYoung = (object: StoredObject) =>
    !isExpired(object, world) && object.places.some(({ stored }) => stored >= oldest);
  const objects = [...world.bucket.objects.values()].filter(({ name }) => name.stream === stream);
  objects.sort((a, b) => a.name.first - b.name.first);
  let end: number = objects[0]?.name.last ?? 0;
  for (const [index, { name }] of objects.entries()) {
    if (name.first > end + 1) {
      const young = objects.slice(0, index).find(isYoung);
      if (young) {
        world.fail(`${stream} has a hole at ${end + 1}, but ${young.name.key} has not expired`);
      }
    }
    end = Math.max(end, name.last);
  }
}
