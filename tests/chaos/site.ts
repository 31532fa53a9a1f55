/**
 * Where servers are run: a bucket and a directory for states, both removed at the end.
 *
 * @module
 */
import { cephServer } from "../servers/ceph.ts";
import { Bucket } from "./bucket.ts";
import { Journal } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import { Publisher, type PublisherOptions, Reader, type ReaderOptions } from "./servers.ts";
import { removeTraces } from "./wrong_clock.ts";

/** Publishers and readers around one bucket. */
export class Site implements AsyncDisposable {
  /** What was published and what arrived. */
  readonly ledger = new Ledger();
  readonly publishers: Publisher[] = [];
  readonly readers: Reader[] = [];
  readonly bucket: Bucket;
  /** For states; the journal is there, too. */
  readonly directory: string;
  /** Keep the directory, with a copy of the bucket. */
  isKept = false;
  /** What is ended and removed with the site, when all programs are dead. */
  readonly ends: AsyncDisposableStack;
  readonly #journal: Journal;

  private constructor(bucket: Bucket, directory: string, ends: AsyncDisposableStack) {
    this.bucket = bucket;
    this.directory = directory;
    this.ends = ends;
    ends.defer(async () => {
      if (!this.isKept) await Deno.remove(directory, { recursive: true });
    });
    this.#journal = ends.use(new Journal(`${directory}/journal.txt`));
  }

  /** A site without servers, at Ceph's gateway. */
  static async prepare(): Promise<Site> {
    await using ends = new AsyncDisposableStack();
    const ceph = await cephServer();
    if (!ceph) throw new Error("Cannot go on without Ceph");
    ends.use(ceph);
    const bucket = ends.use(await Bucket.make(ceph));
    const directory = await Deno.makeTempDir({ prefix: "feedsync-chaos-" });
    return new Site(bucket, directory, ends.move());
  }

  /** Starts a publisher. */
  addPublisher(name: string, options: Omit<PublisherOptions, "ledger" | "note">): Publisher {
    const publisher = new Publisher(name, { ...options, ledger: this.ledger, note: this.note });
    this.publishers.push(publisher);
    publisher.program.start();
    return publisher;
  }

  /** Starts a reader with a new state. */
  addReader(name: string, options: Omit<ReaderOptions, "ledger" | "note" | "state">): Reader {
    const state = `${this.directory}/${name}.db`;
    const reader = new Reader(name, { ...options, state, ledger: this.ledger, note: this.note });
    this.readers.push(reader);
    reader.program.start();
    return reader;
  }

  /** Writes to the journal. */
  readonly note = (who: string, what: string): void => this.#journal.note(who, what);

  /** Ends and removes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    const programs = [...this.publishers, ...this.readers].map(({ program }) => program);
    await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()));
    await removeTraces(programs.flatMap(({ pids }) => pids));
    if (this.isKept) await this.bucket.save(`${this.directory}/bucket`);
    await this.ends.disposeAsync();
  }
}
