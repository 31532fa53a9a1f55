import type { Place } from "./bucket.ts";
import type { Told } from "./disk.ts";
import { feedUrl } from "./happenings.ts";
import type { AcceptedUpdate } from "./ledger.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

/** Everything accepted must have arrived at every reader, or be accounted for. */
export function checkArrived(world: World): void {
  const places = placesById(world);
  for (const { consumers } of world.servers) {
    for (const { checks } of consumers) checks.checkArrived(places);
  }
  for (const { process, habits } of world.servers) {
    if (!process || !habits.watches) continue;
    const letters = new Set(
      process.state.deadLetters.all().map(({ plugin, stream, seq }) =>
        `${plugin} ${stream} ${seq}`
      ),
    );
    for (let number = 1; number <= habits.plugins; number++) {
      const plugin = `plugin${number}`;
      for (const update of world.ledger.accepted.values()) {
        checkUpdate(process, plugin, update, places.get(update.id) ?? [], letters);
      }
      if (letters.size === 0) checkMirror(process, plugin);
    }
  }
}

/** A plugin that skips what is superseded holds the newest update of each URL in the end. */
function checkMirror({ state, disk, world, server }: Process, plugin: string): void {
  if (disk.family.copied) return; // A backup knows less than its plugins do.
  for (let number = 1; number <= world.mix.urls; number++) {
    const url = feedUrl(number);
    const newest = state.newest.get(url)?.id;
    const mirrored = disk.told.mirror.get(`${plugin} ${url}`);
    if (newest !== mirrored && disk.told.updates.has(`${plugin} ${newest}`)) {
      world.fail(
        `${plugin} of ${server.label} ends with ${mirrored} at ${url}, not with ${newest}`,
      );
    }
  }
}

function checkUpdate(
  process: Process,
  plugin: string,
  { id }: AcceptedUpdate,
  places: readonly Place[],
  letters: ReadonlySet<string>,
): void {
  const { world: { ledger }, disk, server: { label, habits } } = process;
  const isOwn = disk.accepted.has(id) && !habits.includeOwn;
  if (isOwn || disk.told.updates.has(`${plugin} ${id}`) || ledger.lost.has(id)) return;
  if (places.length === 0) return process.fail(`The accepted update ${id} was never uploaded`);
  if (!places.some((place) => isAccountedFor(process, plugin, place, letters))) {
    const where = places.map(({ stream, seq }) => `${stream}/${seq}`);
    process.fail(
      `${id} at ${where} was neither applied by ${plugin} of ${label} nor reported lost`,
    );
  }
}

/** Whether the reader was told that it misses what is there, or need not have it. */
function isAccountedFor(
  { world: { ledger, mix }, disk: { told, family } }: Process,
  plugin: string,
  place: Place,
  letters: ReadonlySet<string>,
): boolean {
  const { stream, seq } = place;
  return ledger.unnoticed.has(stream) || letters.has(`${plugin} ${stream} ${seq}`) ||
    seq <= (told.entries.get(stream) ?? 0) ||
    told.gaps.some((gap) => gap.stream === stream && gap.first <= seq && seq <= gap.last) ||
    // A state that was restored has listed its own stream, but reads it only once it has given it up.
    place.objects === 0 && ledger.families.get(stream) === family && family.copied ||
    hadExpired(told, place, mix.retention) ||
    wasAway(told, place, Math.max(mix.lag, mix.replicaLag));
}

/**
 * Whether the place had expired before the reader came. A delete that failed in part may leave it in
 * a segment whose stream has no tail any more: only the newest of it is kept.
 */
export function hadExpired({ polls }: Told, { spans }: Place, retention: number): boolean {
  const came = polls[0]?.begun ?? Infinity;
  return spans.every(({ from }) => came - from > retention);
}

/** Whether the place has come and gone without the reader ever having listed it. */
export function wasAway({ polls }: Told, { objects, spans }: Place, lag: number): boolean {
  return objects === 0 &&
    !polls.some(({ begun, ended }) =>
      spans.some(({ from, to }) => from < begun - lag && ended < to)
    );
}

function placesById({ bucket: { streams } }: World): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  for (const seqs of streams.values()) {
    for (const place of [...seqs.values()].flat()) {
      const known = places.get(place.update.id);
      if (known) known.push(place);
      else places.set(place.update.id, [place]);
    }
  }
  return places;
}
