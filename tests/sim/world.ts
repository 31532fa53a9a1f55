import { feedIdentity } from "../../lib/feed_url.ts";
import { MARKER_KEY } from "../../lib/log/names.ts";
import { parseNewestKey } from "../../lib/log/newest/names.ts";
import {
  checkDeleted,
  checkHoles,
  checkKeeping,
  checkNewest,
  checkPut,
  checkStillKept,
  isExpired,
} from "./bucket_checks.ts";
import { Bucket, type StoredObject } from "./bucket.ts";
import { Chance } from "./chance.ts";
import { type Coverage, noCoverage } from "./coverage.ts";
import type { Disk } from "./disk.ts";
import { Ledger } from "./ledger.ts";
import type { Encryption } from "./encryption.ts";
import { drawMix, type Focus, type Habits, type Mix } from "./mix.ts";
import { type Envelope, plainEnvelope } from "../../lib/log/encryption/envelope.ts";
import type { ObjectName } from "../../lib/log/names.ts";
import type { Process } from "./process.ts";
import { Server } from "./server.ts";
import { Timeline } from "./timeline.ts";

/** How a seed is simulated. */
export interface WorldOptions {
  /** Told all that happens. */
  readonly trace?: (line: string) => void;
  /** What is to happen often, see {@linkcode drawMix}. */
  readonly focus?: readonly Focus[];
  /** How objects are encrypted. @default they are not */
  readonly encryption?: Encryption;
}

/** Whose processes write to the bucket. */
export type Author = Pick<Disk, "stream" | "family" | "accepted">;

/** Everything that one seed simulates. */
export class World {
  readonly timeline = new Timeline();
  readonly bucket: Bucket;
  /** What all servers store their objects in. */
  readonly envelope: Envelope;
  readonly ledger = new Ledger();
  readonly chance: Chance;
  readonly mix: Mix;
  readonly servers: Server[] = [];
  /** How much has happened of what does not happen in every seed. */
  readonly coverage: Coverage = noCoverage();
  /** The time of faults is over. */
  settling = false;
  /** The first promise that was broken. */
  violation: string | undefined;
  /** The store may have shown less than there is. */
  readonly #deceives: boolean;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #start = this.timeline.now;

  constructor(seed: number, { trace, focus, encryption }: WorldOptions) {
    this.envelope = encryption?.envelope(this.timeline) ?? plainEnvelope;
    this.chance = new Chance(seed);
    this.mix = drawMix(this.chance, focus);
    const plain = (body: Uint8Array) => encryption?.plain(body) ?? body;
    this.bucket = new Bucket(this.timeline, plain, { isSorted: this.mix.isSorted });
    this.#deceives = this.mix.faults.cut > 0 || this.mix.lag > 0;
    this.#trace = trace;
    trace?.(JSON.stringify(this.mix));
    for (let number = 1; number <= this.mix.servers; number++) this.addServer();
  }

  /** A new server, which has these habits. */
  addServer(habits: Partial<Habits> = {}): Server {
    const server = new Server(this, `web-${this.servers.length + 1}`, { habits });
    this.servers.push(server);
    if (this.#lacksNewest()) this.coverage.joins++;
    return server;
  }

  /** Whether the newest update of a feed is in the log no more. */
  #lacksNewest(): boolean {
    const { bucket: { kept, objects }, ledger } = this;
    const logged = new Set(
      [...objects.values()].flatMap(({ places }) => places.map(({ update: { id } }) => id)),
    );
    return [...kept.values()].some(({ update: { id, url } }) =>
      ledger.newest.get(feedIdentity(url))?.id === id && !logged.has(id)
    );
  }

  /** A promise is broken. */
  fail(message: string): void {
    this.note("VIOLATION", message);
    this.violation ??= message;
  }

  /** A line of the trace. */
  note(who: string, what: string): void {
    if (!this.#trace) return;
    const seconds = ((this.timeline.now - this.#start) / 1000).toFixed(3);
    this.#trace(`${this.timeline.steps} ${seconds}s ${who}: ${what}`);
  }

  /** A process tells the others of a commit: some hear of it, at once or late. */
  wakeOthers(sender: Process, name: ObjectName): void {
    const { chance, mix, timeline } = this;
    const updates = this.bucket.objects.get(name.key)?.places.map(({ update }) => update);
    for (const server of this.servers) {
      if (server.process === sender || !chance.happens(mix.wakeUps)) continue;
      const delay = chance.between(0, chance.pick([10, 100, 5000]));
      timeline.after(delay, () => server.process?.hear(name, updates));
    }
  }

  /** A write takes effect. */
  put(disk: Author, key: string, body: Uint8Array): void {
    if (key === MARKER_KEY) return void (this.bucket.marker = body);
    this.note("bucket", `stored ${key}`);
    try {
      const kept = parseNewestKey(key);
      if (kept) {
        if (!this.bucket.kept.has(key)) this.coverage.carried++;
        return checkKeeping(this, this.bucket.keep(kept, body));
      }
      const object = this.bucket.put(key, body, disk);
      checkPut(this, disk, object);
      this.ledger.noteNewest(object);
    } catch (error) {
      this.fail(`${key} is not what readers understand: ${error}`);
    }
  }

  /** A delete takes effect. */
  delete(keys: readonly string[]): void {
    const deleted = keys.map((key) => this.bucket.delete(key)).filter((object) => !!object);
    if (deleted.length === 0) return;
    this.note("bucket", `deleted ${deleted.map(({ name: { key } }) => key)}`);
    const logged = deleted.filter((object) => "places" in object);
    for (const object of deleted) checkStillKept(this, object);
    for (const object of logged) {
      checkDeleted(this, object);
      checkNewest(this, object);
      if (isExpired(object, this)) {
        this.ledger.noteExpired(object, this.servers.map(({ disk }) => disk));
      }
    }
    for (const stream of new Set(logged.map(({ name }) => name.stream))) checkHoles(this, stream);
  }

  /** Deletes objects without a thought of what is the newest in them. */
  deleteForgotten(keys: readonly string[]): void {
    this.ledger.forget(
      keys.flatMap((key) => this.bucket.objects.get(key)?.places ?? []),
      this.timeline.now,
    );
    this.delete(keys);
    this.ledger.recount(this.bucket, this.timeline.now);
  }

  /** A state has begun a new stream: that needs a reason. */
  noteNewStream(process: Process): void {
    const { disk } = process;
    const { stream } = disk;
    process.checks.forked(stream);
    process.noteStream();
    process.note(`begins ${disk.stream} in place of ${stream}`);
    if (disk.family.copied || this.#deceives) return;
    const reach = Math.max(0, ...this.#tailOf(stream).map(({ name }) => name.last));
    const ever = Math.max(0, ...(this.bucket.streams.get(stream)?.keys() ?? []));
    if (reach === ever) process.fail(`${stream} was given up for no reason`);
  }

  #tailOf(stream: string): StoredObject[] {
    return [...this.bucket.objects.values()].filter(({ name }) =>
      name.kind === "tail" && name.stream === stream
    );
  }

  /** Frees what the run took. */
  end(): void {
    for (const server of this.servers) {
      server.process?.die("ends");
      server.closeState();
      server.disk.medium.release();
    }
  }
}
