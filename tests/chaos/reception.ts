/**
 * What arrives at one reader: in order, and again only right after a kill.
 *
 * @module
 */

/** An update that has arrived. */
export interface Arrival {
  readonly publisher: string;
  readonly number: number;
  readonly server: string;
  readonly stream: string;
  readonly id: string;
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly superseded: boolean;
}

/** What is applied again after a kill was applied so long before it, at most: milliseconds. */
const REPEATED = 5000;

/** What is known of the updates of one publisher. */
class Source {
  /** The id of each that has arrived; and when, and in which run, it did last. */
  readonly seen = new Map<number, { id: string; at: number; run: number }>();
  /** Those that were accepted and have not arrived. */
  readonly awaited = new Set<number>();
  /** The newest that has arrived. */
  newest = 0;
  /** The last run in which something arrived that had not arrived before. */
  freshIn = 0;
}

/** What decides which update of a feed is newer: the time, then the id. */
interface Version {
  readonly time: number;
  readonly id: string;
}

/** What has arrived at one reader. */
export class Reception {
  /** Updates that arrived. */
  arrived = 0;
  /** Times that one arrived again. */
  repeats = 0;
  readonly #sources = new Map<string, Source>();
  /** By URL: the newest update that arrived, and the one that was applied last. */
  readonly #newest = new Map<string, Version>();
  readonly #applied = new Map<string, Version>();
  #run = 1;
  #interrupted = 0;

  /** The process was killed. */
  interrupt(): void {
    this.#run++;
    this.#interrupted = Date.now();
  }

  /** An update that was accepted must arrive. */
  await(publisher: string, number: number): void {
    const { seen, awaited } = this.#source(publisher);
    if (!seen.has(number)) awaited.add(number);
  }

  /** Those that were accepted and have not arrived. */
  missing(publisher: string): number[] {
    return [...this.#source(publisher).awaited];
  }

  /** Takes an update; returns what is wrong with its coming now. */
  receive({ publisher, number, id, url, time, superseded }: Arrival): string | undefined {
    const source = this.#source(publisher);
    const version = { time, id };
    if (isNewer(version, this.#newest.get(url))) this.#newest.set(url, version);
    if (!superseded) this.#applied.set(url, version);
    const problem = source.seen.has(number)
      ? this.#repeat(source, number, id)
      : this.#fresh(source, number);
    source.seen.set(number, { id, at: Date.now(), run: this.#run });
    return problem;
  }

  /** URLs of which another update than the newest was applied last. */
  outdated(): string[] {
    return [...this.#newest].filter(([url, { id }]) => this.#applied.get(url)?.id !== id)
      .map(([url]) => url);
  }

  /** URLs of which something newer has arrived there than was applied last here. */
  olderThan(other: Reception): string[] {
    return [...other.#newest].filter(([url, version]) => isNewer(version, this.#applied.get(url)))
      .map(([url]) => url);
  }

  #source(publisher: string): Source {
    let source = this.#sources.get(publisher);
    if (!source) this.#sources.set(publisher, source = new Source());
    return source;
  }

  #fresh(source: Source, number: number): string | undefined {
    const { newest } = source;
    this.arrived++;
    source.awaited.delete(number);
    source.newest = Math.max(newest, number);
    source.freshIn = this.#run;
    return number < newest ? `after ${newest}` : undefined;
  }

  #repeat(source: Source, number: number, id: string): string | undefined {
    this.repeats++;
    const { at, id: known, run } = source.seen.get(number)!;
    if (known !== id) return `as ${id}, which was ${known} before`;
    if (run === this.#run) return "again without having been killed";
    if (source.freshIn === this.#run) return `again, after ${source.newest}`;
    const age = this.#interrupted - at;
    return age > REPEATED ? `again, although that came ${age} ms before the kill` : undefined;
  }
}

function isNewer(version: Version, known: Version | undefined): boolean {
  if (!known || version.time !== known.time) return version.time > (known?.time ?? -Infinity);
  return version.id > known.id;
}
