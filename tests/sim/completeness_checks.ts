import { compareUpdates } from "../../lib/log/update_order.ts";
import type { Place } from "./bucket.ts";
import type { StoredVersion } from "./ledger.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

/**
 * In the end every server has the newest update of every feed, however long it was away and however new
 * it is: those that begin with what there is now excepted.
 */
export function checkComplete(world: World): void {
  for (const { process, consumers } of world.servers) {
    if (process) { for (const { checks } of consumers) checks.checkComplete(process); }
  }
  for (const { process, habits } of world.servers) {
    if (!process || !habits.watches || habits.from === "now") continue;
    for (let number = 1; number <= habits.plugins; number++) {
      for (const [feed, newest] of world.ledger.newest) {
        checkFeed(process, `plugin${number}`, { feed, newest });
      }
    }
  }
}

function checkFeed(
  process: Process,
  plugin: string,
  { feed, newest }: { feed: string; newest: StoredVersion },
): void {
  const { world: { ledger }, disk, state, server: { label } } = process;
  const stored = [...ledger.stored.get(feed)!.values()];
  const had = stored.filter(({ id }) =>
    disk.accepted.has(id) || disk.told.updates.has(`${plugin} ${id}`)
  );
  // After a power loss, its time may be corrected once more.
  const isHad = ({ id }: StoredVersion) => id === newest.id;
  if (
    had.some((update) => isHad(update) || compareUpdates(update, newest) >= 0) ||
    ledger.gone.has(newest.id)
  ) {
    return;
  }
  // That a feed is gone is of no interest to who never had it.
  const { accepted, told } = disk;
  const isKnown = told.mirror.has(`${plugin} ${feed}`) || had.some(({ id }) => accepted.has(id));
  if (newest.isRemoval && !isKnown) return;
  // What had a time that nobody can have meant had the time of its arrival, here.
  if (had.some(({ isPlausible }) => !isPlausible)) return;
  const places = placesOf(process, newest.id);
  if (places.some(({ stream }) => ledger.unnoticed.has(stream))) return;
  const isLetter = state.deadLetters.all().some((letter) =>
    letter.plugin === plugin &&
    places.some(({ stream, seq }) => letter.stream === stream && letter.seq === seq)
  );
  if (isLetter) return;
  process.fail(
    `${plugin} of ${label} lacks ${newest.id}, the newest update of ${feed}, which is ` +
      places.map(({ stream, seq }) => `${stream}/${seq}`),
  );
}

function placesOf({ world: { bucket } }: Process, id: string): Place[] {
  return [...bucket.streams.values()].flatMap((seqs) =>
    [...seqs.values()].flat().filter(({ update }) => update.id === id)
  );
}
