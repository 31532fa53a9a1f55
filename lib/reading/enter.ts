/**
 * The first poll of a state: chooses where to start reading the existing streams.
 *
 * @module
 */
import { contiguousStart } from "./chain.ts";
import { sleep } from "../base/environment.ts";
import { whyUnreadable } from "../log/why_unreadable.ts";
import type { ObjectKind, ObjectName } from "../log/names.ts";
import { MAX_LISTING_LAG_MS } from "../stores/store.ts";
import type { ReadContext } from "./read_context.ts";

/** Dependencies of entering. */
type EnterContext = Omit<ReadContext, "wasHeld">;

/**
 * Sets the first cursor of each known stream, in one transaction: at the first update from which
 * all updates up to the newest exist, or with `now` at the end. A stream that is discovered later
 * starts at 0, and so does one of which nothing can be read, for example without its key. Segments
 * that are listed here are added to `streams`, so that reading need not list them again.
 */
export async function enterStreams(
  context: EnterContext,
  streams: ReadonlyMap<string, ObjectName[]>,
  from: "earliest" | "now",
): Promise<void> {
  const { state, log } = context;
  if (state.fact("entered") !== undefined) return;
  const cursors = await Promise.all(
    [...streams].map(async ([stream, names]) =>
      [stream, await entryPoint(context, stream, { names, from })] as const
    ),
  );
  state.transaction(() => {
    for (const [stream, cursor] of cursors) state.cursors.enter(stream, cursor);
    state.setFact("entered", 1);
    state.setFact("enteredAt", Math.round(log.now()));
    if (!state.isInMemory) state.restoring.require();
  });
}

async function entryPoint(
  context: EnterContext,
  stream: string,
  { names, from }: { names: ObjectName[]; from: "earliest" | "now" },
): Promise<number> {
  const { requests, log, environment: { clock }, signal } = context;
  const list = async (kind: ObjectKind) => {
    const listed = await requests.run(() => log.listStream(kind, stream, { signal }));
    const known = new Set(names.map(({ key }) => key));
    for (const name of listed) if (!known.has(name.key)) names.push(name);
  };
  const isWhole = () => names.some(({ first }) => first === 1);
  if (from === "now") return (await newestReadable(context, names))?.last ?? 0;
  if (isWhole()) return 0;
  await list("segments");
  if (isWhole()) return 0;
  // Nothing before the entry point is searched for later.
  await sleep(clock, MAX_LISTING_LAG_MS, signal);
  await list("tail");
  // What was merged before that listing is in a segment which another one may not show yet.
  await sleep(clock, MAX_LISTING_LAG_MS, signal);
  await list("segments");
  const newest = await newestReadable(context, names);
  return newest ? contiguousStart(names, newest) - 1 : 0;
}

/**
 * Maximum number of objects tried per stream, newest first: a stream full of garbage must not hold
 * up others.
 */
const MAX_TRIES = 16;

/** The newest object that can be read: a key alone must not move the cursor. */
async function newestReadable(
  context: EnterContext,
  names: readonly ObjectName[],
): Promise<ObjectName | undefined> {
  const { environment: { clock }, signal } = context;
  const first = await firstReadable(context, names);
  if (!first.hasMissed) return first.readable;
  // A store may list an object before a GET finds it.
  await sleep(clock, MAX_LISTING_LAG_MS, signal);
  return (await firstReadable(context, names)).readable;
}

/** The newest readable object, and whether a GET did not find a newer one. */
async function firstReadable(
  context: EnterContext,
  names: readonly ObjectName[],
): Promise<{ readable?: ObjectName; hasMissed: boolean }> {
  const { requests, log, signal } = context;
  let hasMissed = false;
  for (const name of names.toSorted((a, b) => b.last - a.last).slice(0, MAX_TRIES)) {
    try {
      const object = await requests.run(() => log.read(name, { signal }));
      if (object?.decode()) return { readable: name, hasMissed };
      hasMissed = true;
    } catch (error) {
      if (!whyUnreadable(error)) throw error;
    }
  }
  return { hasMissed };
}
