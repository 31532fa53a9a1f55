import { encodeBody, updateBody, updateLine } from "../../lib/log/codec.ts";
import { objectName } from "../../lib/log/names.ts";
import { asSeq } from "../../lib/log/positions.ts";
import { encodeNewest } from "../../lib/log/newest/body.ts";
import { newestName } from "../../lib/log/newest/names.ts";
import { feedIdentity } from "../../lib/feed_url.ts";
import { expiredObjects } from "../../lib/retention/expiry.ts";
import type { DatedName } from "../../lib/log/bucket_log.ts";
import { newUpdate } from "./happenings.ts";
import type { World } from "./world.ts";

const DAY = 24 * 60 * 60_000;

/** A server whose updates come late, so that theirs are old times, or whose clock is days ahead. */
export async function strangeCommit(world: World): Promise<void> {
  const { chance, ledger, mix: { retention }, timeline } = world;
  const isAhead = chance.happens(0.3);
  const time = Math.round(
    timeline.now + (isAhead ? chance.between(2, 5) * DAY : -retention * chance.between(0, 2)),
  );
  const { url, content, removed } = newUpdate(world), id = chance.uuid();
  const stream = `odd-${ledger.published}_${chance.token()}`;
  const stranger = { stream, family: { copied: false }, accepted: new Set([id]) };
  const update = { id, url: String(url), content: removed ? undefined : content, row: 0 };
  ledger.accepted.set(id, update);
  ledger.families.set(stream, stranger.family);
  const name = objectName({ kind: "tail", stream, first: 1, last: 1, writer: chance.token() });
  const feed = removed ? { removed: true as const } : { content: String(content) };
  const body = updateBody({ ...feed, metadata: {} });
  const line = updateLine({ id, url: update.url, time, body }, 1);
  const stamp = new Date(timeline.now).toISOString();
  const plain = encodeBody(name, [line], { time: stamp });
  world.put(stranger, name.key, await world.envelope.encrypt(name, plain));
}

/** Somebody puts into `newest/` what is damaged, or what is days ahead. */
export async function forgeNewest(world: World): Promise<void> {
  const { bucket, chance, envelope, timeline } = world;
  const [isDamaged, { url }] = [chance.happens(0.5), newUpdate(world)];
  const ahead = isDamaged ? 1000 : chance.between(2, 5) * DAY;
  const time = Math.round(timeline.now + ahead), id = chance.uuid();
  const [digest] = await envelope.digests(feedIdentity(String(url)));
  const hash = digest.subarray(0, 16).toHex();
  const name = newestName({ hash, time, id, isRemoved: false });
  const forged = encodeNewest(name, {
    ...{ id, url: String(url), time: new Date(time).toISOString(), content: "forged" },
    ...{ metadata: {}, stream: `forger_${chance.token()}`, seq: asSeq(1) },
  });
  // Encrypted, where others are: what is not would keep new servers from publishing.
  const body = await envelope.encrypt(name, forged);
  bucket.forge(name.key, isDamaged ? body.subarray(0, body.length / 2) : body);
  world.note("bucket", `forged ${name.key}`);
}

/** Whoever cleans up in the way of version 0.1 keeps nothing for good. */
export function cleanUpOnly(world: World): void {
  const { bucket, mix: { retention }, timeline: { now } } = world;
  const streams = Map.groupBy(
    [...bucket.objects.values()].map(({ name, lastModified }) => ({
      ...name,
      lastModified,
      size: 0,
    })),
    ({ stream }) => stream,
  );
  const keys = [...streams.values()].flatMap((objects: DatedName[]) =>
    expiredObjects(objects, { now: now - 1000, maxAge: retention })
  ).map(({ key }) => key);
  if (keys.length > 0) world.deleteForgotten(keys);
}
