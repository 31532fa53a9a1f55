import type { ConsumerGap } from "../../lib/consumers/consumer.ts";
import { feedIdentity } from "../../lib/feed_url.ts";
import { compareUpdates } from "../../lib/log/update_order.ts";
import type { JsonObject, Update } from "../../lib/update.ts";
import { hadExpired, wasAway } from "./arrival_checks.ts";
import type { Place } from "./bucket.ts";
import type { Consumer } from "./consumer.ts";
import type { AcceptedUpdate, StoredVersion } from "./ledger.ts";
import type { Process } from "./process.ts";

const DAY_MS = 24 * 60 * 60_000;

/** What a consumer was handed and told. Checks each line as it comes, and all in the end. */
export class ConsumerChecks {
  readonly #consumer: Consumer;
  /** Ids of the updates that it has processed. */
  readonly #processed = new Set<string>();
  readonly #gaps: ConsumerGap[] = [];
  /** What it holds for each URL. */
  readonly #mirror = new Map<string, string>();
  /** Where the streams were when it was made: what is before is not promised in order. */
  readonly #entries = new Map<string, number>();
  /** The row of the outbox up to which own updates had been uploaded then. */
  #ownEntry = 0;
  /** The seq that comes next in each stream. */
  readonly #next = new Map<string, number>();
  /** Whether the program knows that the consumer was made. */
  wasMade = false;

  constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  /** The consumer was made. */
  entered({ state, world: { bucket } }: Process): void {
    this.wasMade = true;
    for (const stream of bucket.streams.keys()) {
      const { cursors, inbox } = state;
      const seq = Math.max(
        ...[cursors.get(stream), inbox.applying(stream), inbox.taken(stream) ?? 0],
      );
      this.#entries.set(stream, Math.max(seq, this.#entries.get(stream) ?? 0));
    }
    this.#next.clear();
    this.#ownEntry = state.ownStream.load().uploadedRow;
  }

  /** The server accepted an update: whoever publishes it has it. */
  published({ id, url }: AcceptedUpdate): void {
    if (!this.#consumer.habits.own) this.#mirror.set(feedIdentity(url), id);
  }

  /** It has processed an update. */
  took(json: JsonObject): void {
    const { id, url, stream, seq, content, superseded, restored } = json as unknown as Update;
    const { bucket, ledger } = this.#consumer.world;
    const accepted = ledger.accepted.get(id);
    const isPublished = bucket.at(stream, seq).some(({ update }) => update.id === id) ||
      this.#disk.accepted.has(id);
    if (!isPublished || !accepted || accepted.url !== url || accepted.content !== content) {
      this.#fail(`was handed ${stream}/${seq}, which was never published so`);
    }
    if (!restored) this.#checkOrder(stream, seq, id);
    this.#processed.add(id);
    if (!superseded) this.#mirror.set(feedIdentity(url), id);
  }

  /** It was told that it misses something. */
  missed(gap: ConsumerGap): void {
    this.#gaps.push(gap);
    const { maxBytes, maxAgeMs } = this.#consumer.world.mix.inbox;
    const mayOverflow = maxBytes < 1e9 || maxAgeMs < 30 * DAY_MS;
    if (gap.reason !== "log" && !mayOverflow) {
      this.#fail(`was told that ${gap.stream}/${gap.first}-${gap.last} was dropped for no reason`);
    }
    this.#consumer.world.coverage.consumerGaps++;
  }

  #checkOrder(stream: string, seq: number, id: string): void {
    const known = this.#next.get(stream), next = known ?? Math.min(seq, this.#firstOf(stream));
    // Copies of a state may have given one seq two meanings.
    const isCopied = this.#consumer.world.ledger.families.get(stream)?.copied;
    // A power loss may bring back what was dropped.
    const mayComeLate = isCopied || this.#processed.has(id) || this.#wasTold(stream, seq);
    if (seq < next && !mayComeLate) {
      this.#fail(`was handed ${stream}/${seq} out of order: next is ${next}`);
    }
    for (let skipped = next; skipped < seq; skipped++) {
      if (this.#maySkip(stream, skipped)) continue;
      this.#fail(`was handed ${stream}/${seq}, but not ${skipped}, which is before it`);
    }
    this.#next.set(stream, Math.max(next, seq + 1));
  }

  #firstOf(stream: string): number {
    if (stream === this.#disk.stream) return 1; // What is uploaded later comes later.
    const entry = this.#entries.get(stream) ?? 0;
    return Math.max(entry, this.#disk.told.entries.get(stream) ?? 0) + 1;
  }

  #maySkip(stream: string, seq: number): boolean {
    const places = this.#consumer.world.bucket.at(stream, seq);
    return this.#wasTold(stream, seq) || seq < this.#firstOf(stream) ||
      places.some(({ update: { id } }) =>
        this.#processed.has(id) || this.#disk.accepted.has(id) || this.#cameBefore(id) ||
        this.#wasToldElsewhere(id)
      );
  }

  /** Whether it was told that it misses the update where that was published again. */
  #wasToldElsewhere(id: string): boolean {
    return this.#consumer.world.bucket.streams.entries().some(([stream, seqs]) =>
      seqs.entries().some(([seq, places]) =>
        places.some(({ update }) => update.id === id) && this.#wasTold(stream, seq)
      )
    );
  }

  /** Whether the update had arrived in any stream before the consumer was made. */
  #cameBefore(id: string): boolean {
    return this.#consumer.world.bucket.streams.entries().some(([stream, seqs]) =>
      seqs.entries().some(([seq, places]) =>
        seq < this.#firstOf(stream) && places.some(({ update }) => update.id === id)
      )
    );
  }

  #wasTold(stream: string, seq: number): boolean {
    return this.#gaps.some((gap) =>
      gap.stream === null || gap.stream === stream && gap.first <= seq && seq <= gap.last
    );
  }

  /** Everything accepted must have arrived, or be accounted for. */
  checkArrived(places: ReadonlyMap<string, readonly Place[]>): void {
    const { world: { ledger }, habits: { own } } = this.#consumer;
    if (!this.wasMade) return;
    for (const { id, row } of ledger.accepted.values()) {
      const isOwn = this.#disk.accepted.has(id);
      if (this.#processed.has(id) || ledger.lost.has(id)) continue;
      if (isOwn && (!own || row <= this.#ownEntry || this.#disk.family.copied)) continue;
      const found = places.get(id) ?? [];
      if (found.some((place) => this.#isAccountedFor(place))) continue;
      const where = found.map(({ stream, seq }) => `${stream}/${seq}`);
      this.#fail(`was never handed ${id} at ${where}, nor told of it`);
    }
  }

  #isAccountedFor(place: Place): boolean {
    const { world: { ledger, mix } } = this.#consumer, { told, family } = this.#disk;
    const { stream, seq, objects } = place;
    return ledger.unnoticed.has(stream) || seq < this.#firstOf(stream) ||
      this.#wasTold(stream, seq) ||
      objects === 0 && ledger.families.get(stream) === family && family.copied ||
      hadExpired(told, place, mix.retention) ||
      wasAway(told, place, Math.max(mix.lag, mix.replicaLag));
  }

  /** One that begins with the newest has the newest of each feed in the end. */
  checkComplete(process: Process): void {
    const { habits: { from }, world: { ledger } } = this.#consumer;
    if (!this.wasMade || from === "now" || process.server.habits.from === "now") return;
    for (const [feed, newest] of ledger.newest) this.#checkFeed(process, { feed, newest });
    if (this.#disk.family.copied) return;
    for (const [feed, id] of this.#mirror) {
      const newest = process.state.newest.get(feed)?.id ?? "";
      // What has an implausible time gets another one each time it is read.
      const isPlausible = ledger.stored.get(feed)?.get(newest)?.isPlausible;
      if (newest !== id && this.#processed.has(newest) && isPlausible) {
        this.#fail(`ends with ${id} at ${feed}, not with ${newest}`);
      }
    }
  }

  #checkFeed(
    { state }: Process,
    { feed, newest }: { readonly feed: string; readonly newest: StoredVersion },
  ): void {
    const { world: { ledger, bucket } } = this.#consumer;
    const stored = [...ledger.stored.get(feed)!.values()];
    const had = stored.filter(({ id }) => this.#processed.has(id) || this.#disk.accepted.has(id));
    // After a power loss, its time may be corrected once more.
    const isHad = ({ id }: StoredVersion) => id === newest.id;
    if (
      had.some((update) => isHad(update) || compareUpdates(update, newest) >= 0) ||
      ledger.gone.has(newest.id)
    ) {
      return;
    }
    if (newest.isRemoval || had.some(({ isPlausible }) => !isPlausible)) return;
    const known = state.newest.get(feed);
    if (known && !stored.find(({ id }) => id === known.id)?.isPlausible) return;
    const places = [...bucket.streams].flatMap(([stream, seqs]) =>
      [...seqs.values()].flat().some(({ update }) => update.id === newest.id) ? [stream] : []
    );
    if (places.some((stream) => ledger.unnoticed.has(stream))) return;
    this.#fail(`lacks ${newest.id}, the newest update of ${feed}, which is in ${places}`);
  }

  get #disk() {
    return this.#consumer.server.disk;
  }

  #fail(message: string): void {
    this.#consumer.fail(message);
  }
}
