import type { Gap, Update } from "../../lib/update.ts";
import type { Place } from "./bucket.ts";
import type { SimPlugin } from "./plugin.ts";
import type { Process } from "./process.ts";

/** What the plugins of one process got, in order. Checks each update and gap as it comes. */
export class ReaderChecks {
  readonly #process: Process;
  /** The seq that comes next, by plugin and stream. */
  readonly #next = new Map<string, number>();
  /** The seqs that a plugin has applied that takes several at a time. */
  readonly #applied = new Map<string, Set<number>>();
  /** Calls that failed: those are repeated, or become dead letters. */
  readonly #failed = new Set<string>();
  /** What was restored: the plugins and the ids of the updates. */
  readonly #restored = new Set<string>();
  /** Streams that were given up for new ones meanwhile: they are read again from where they part. */
  readonly #forked = new Set<string>();
  /** URLs that a plugin is busy with. */
  readonly #busy = new Set<string>();

  constructor(process: Process) {
    this.#process = process;
  }

  /** A call begins: no other for the same URL may be under way. */
  begin(plugin: string, { url, stream, seq, restored }: Update): void {
    const call = `${plugin} ${url}`, reader = `${plugin} ${stream}`;
    if (this.#busy.has(call)) this.#fail(`${call} was called twice at once`);
    this.#busy.add(call);
    if (restored) return; // It comes out of turn.
    const { cursors } = this.#process.state;
    // What was about to be applied when the stream was given up still is.
    const first = this.#forked.has(stream) ? seq : cursors.get(stream) + 1;
    if (!this.#next.has(reader)) this.#next.set(reader, first);
  }

  /** A call ends. */
  end(plugin: string, { url }: Update): void {
    this.#busy.delete(`${plugin} ${url}`);
  }

  /** A call fails, or takes too long. */
  failed(plugin: string, { stream, seq }: Update): void {
    this.#failed.add(`${plugin} ${stream} ${seq}`);
  }

  /** A plugin has applied an update. */
  delivered({ name: plugin, concurrency }: SimPlugin, update: Update): void {
    const { stream, seq, id, url, content, restored } = update;
    const { world: { bucket, ledger, coverage }, disk } = this.#process;
    const place = bucket.at(stream, seq).find((place) => place.update.id === id);
    const accepted = ledger.accepted.get(id);
    if (!place || !accepted || accepted.url !== url || accepted.content !== content) {
      return this.#fail(`${plugin} got ${stream}/${seq}, which was never published so`);
    }
    if (restored) coverage.restored++;
    if (restored) this.#checkRestored(plugin, update);
    else if (concurrency === 1) this.#checkInTurn(plugin, update);
    else this.#checkNear(plugin, update, concurrency);
    disk.told.updates.add(`${plugin} ${id}`);
    if (!update.superseded) disk.told.mirror.set(`${plugin} ${url}`, id);
  }

  /** The same process restores an update once, unless a plugin could not apply it. */
  #checkRestored(plugin: string, { stream, seq, id }: Update): void {
    const call = `${plugin} ${id}`;
    const hasFailed = [...this.#failed].some((failed) => failed.endsWith(` ${stream} ${seq}`));
    if (this.#restored.has(call) && !hasFailed) {
      this.#fail(`${plugin} got ${stream}/${seq} restored twice`);
    }
    this.#restored.add(call);
  }

  /** What comes in its stream comes in its order, and once. */
  #checkInTurn(plugin: string, update: Update): void {
    const { stream, seq } = update;
    const reader = `${plugin} ${stream}`;
    const next = this.#next.get(reader)!;
    const mayRepeat = this.#failed.has(`${reader} ${seq}`) || this.#isDeadLetter(plugin, update);
    if (seq < next && !mayRepeat && !this.#forked.has(stream)) {
      this.#fail(`${plugin} got ${stream}/${seq} again, or out of order: next is ${next}`);
    }
    for (let skipped = next; skipped < seq; skipped++) {
      if (!this.#maySkip(reader, stream, skipped)) {
        this.#fail(`${plugin} got ${stream}/${seq}, but not ${skipped}, which is before it`);
      }
    }
    this.#next.set(reader, Math.max(next, seq + 1));
  }

  /** What comes out of order comes once, and not far ahead of what is not finished. */
  #checkNear(plugin: string, update: Update, concurrency: number): void {
    const { stream, seq } = update, reader = `${plugin} ${stream}`;
    const { state } = this.#process, cursor = state.cursors.get(stream);
    const applied = this.#applied.get(reader) ?? new Set();
    this.#applied.set(reader, applied);
    const mayRepeat = this.#failed.has(`${reader} ${seq}`) || this.#isDeadLetter(plugin, update) ||
      this.#forked.has(stream);
    if (applied.has(seq) && !mayRepeat) this.#fail(`${plugin} got ${stream}/${seq} again`);
    applied.add(seq);
    let next = Math.max(this.#next.get(reader)!, cursor + 1);
    while (applied.has(next) || next < seq && this.#isNotFor(stream, next)) next++;
    this.#next.set(reader, next);
    if (seq >= next + concurrency && !this.#forked.has(stream)) {
      this.#fail(`${plugin} got ${stream}/${seq}, but ${next} is not finished`);
    }
  }

  /** A plugin was told of a gap. */
  gap(gap: Gap): void {
    const { world: { bucket, timeline, mix }, disk, view, state } = this.#process;
    const { stream, first, last } = gap;
    const cursor = state.cursors.get(stream);
    if (first !== cursor + 1 || last < first) {
      this.#fail(`The gap ${stream}/${first}-${last} does not follow the cursor ${cursor}`);
    }
    const listed = Math.min(
      view.listings.get(`segments/${stream}/`) ?? timeline.now,
      view.listings.get(`tail/${stream}/`) ?? timeline.now,
    ) - mix.lag;
    for (let seq = first; seq <= last; seq++) {
      const places = bucket.at(stream, seq);
      if (places.length === 0) this.#fail(`The gap ${stream}/${seq} was never published`);
      if (places.some((place) => isThereSince(place, listed))) {
        this.#fail(`${stream}/${seq} is reported as a gap, but is in the bucket`);
      }
    }
    disk.told.gaps.push(gap);
  }

  /** The very first poll entered a stream behind `cursor`. */
  entered(stream: string, cursor: number): void {
    const { world: { bucket, mix }, disk, server: { habits }, view } = this.#process;
    const listed = view.listings.get("tail/")! - mix.lag;
    const places = bucket.at(stream, cursor);
    if (habits.from === "earliest" && places.some((place) => isThereSince(place, listed))) {
      this.#fail(`${stream} is entered behind ${cursor}, which is in the bucket`);
    }
    if (cursor > 0 && places.length === 0) this.#fail(`${stream} is entered beyond its end`);
    disk.told.entries.set(stream, cursor);
  }

  /** The state begins a new stream: the old one is read from where they part. */
  forked(stream: string): void {
    this.#forked.add(stream);
  }

  /** A graceful stop leaves the cursors behind all that was applied, and did not fail. */
  checkStopped(): void {
    const { state, server: { habits: { concurrency } } } = this.#process;
    for (const [reader, next] of this.#next) {
      const [, stream] = reader.split(" ");
      const cursor = state.cursors.get(stream);
      const last = concurrency === 1 ? next - 1 : cursor + 1; // The cursor stays before that.
      const failed = [...this.#failed].some((call) => call.endsWith(` ${stream} ${last}`));
      if (cursor < next - 1 && !failed && !this.#forked.has(stream)) {
        this.#fail(`${reader} got ${next - 1}, but the cursor is at ${cursor}`);
      }
    }
  }

  /** What an earlier process could not apply is tried again by this one. */
  #isDeadLetter(plugin: string, { stream, seq }: Update): boolean {
    return this.#process.state.deadLetters.all().some((letter) =>
      letter.plugin === plugin && letter.stream === stream && letter.seq === seq
    );
  }

  #maySkip(reader: string, stream: string, seq: number): boolean {
    return this.#failed.has(`${reader} ${seq}`) || this.#isNotFor(stream, seq);
  }

  /** Whether an update need not be delivered: it is this server's own, or lost in a gap. */
  #isNotFor(stream: string, seq: number): boolean {
    const { world: { bucket }, disk } = this.#process;
    return bucket.at(stream, seq).some(({ update: { id } }) => disk.accepted.has(id)) ||
      disk.told.gaps.some((gap) => gap.stream === stream && gap.first <= seq && seq <= gap.last);
  }

  #fail(message: string): void {
    this.#process.world.fail(`${this.#process.server.label}: ${message}`);
  }
}

/** Whether the place was in the bucket at that time, and has been ever since. */
function isThereSince({ objects, since }: Place, time: number): boolean {
  return objects > 0 && since <= time;
}
