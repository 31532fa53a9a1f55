/**
 * What was published, what must arrive, and what is wrong with what did.
 *
 * @module
 */
import { type Arrival, Reception } from "./reception.ts";

/** The time of an update is right to so many milliseconds, whatever the publisher's clock says. */
const CLOCK_ERROR = 60_000;

/** What became of the updates of one publisher. */
class Account {
  /** When each was tried. */
  readonly tried = new Map<number, number>();
  readonly accepted = new Set<number>();
  readonly refused = new Set<number>();
}

/** Updates that a reader lacks. */
export interface Missing {
  readonly reader: string;
  readonly publisher: string;
  readonly numbers: readonly number[];
}

/** Knows every update of a run. */
export class Ledger {
  /** What must not be, in words. */
  readonly violations: string[] = [];
  /** How many updates were accepted although the store could not be reached. */
  queued = 0;
  readonly #accounts = new Map<string, Account>();
  readonly #receptions = new Map<string, Reception>();
  /** What has arrived where only the newest update of each feed must. */
  readonly #late = new Map<string, Reception>();
  /** What has arrived and is not compared with what was published yet. */
  #unverified: { readonly reader: string; readonly arrival: Arrival }[] = [];
  /** The stream of each server. */
  readonly #streams = new Map<string, string>();
  #onChange = () => {};

  /** Updates accepted so far. */
  get accepted(): number {
    return sum(this.#accounts, ({ accepted }) => accepted.size);
  }

  /** Updates refused so far. */
  get refused(): number {
    return sum(this.#accounts, ({ refused }) => refused.size);
  }

  /** Updates that arrived so far, repeats not counted. */
  get arrived(): number {
    return sum(this.#receptions, ({ arrived }) => arrived);
  }

  /** Updates that arrived again. */
  get repeats(): number {
    return sum(this.#receptions, ({ repeats }) => repeats);
  }

  /** A publisher that will be heard of. */
  addPublisher(name: string): void {
    this.#accounts.set(name, new Account());
  }

  /** A reader at which everything must arrive, what was accepted before included. */
  addReader(name: string): void {
    const reception = new Reception();
    this.#receptions.set(name, reception);
    for (const [publisher, { accepted }] of this.#accounts) {
      for (const number of accepted) reception.await(publisher, number);
    }
  }

  /** A reader that is new, or away, while the log expires: it must end with the newest of each feed. */
  addLateReader(name: string): void {
    this.#late.set(name, new Reception());
  }

  /** Nothing is expected of this late reader any more. */
  dropLateReader(name: string): void {
    this.#late.delete(name);
  }

  /** What a publisher says of an update, see `publisher.ts`. */
  told(publisher: string, line: string): void {
    const [, word, digits] = /^(\w+) (\d+)/.exec(line) ?? [];
    const { tried, refused, accepted } = this.#accounts.get(publisher)!;
    const number = Number(digits);
    if (word === "try") tried.set(number, Date.now());
    else if (word === "refused") refused.add(number);
    else if (word === "done" || word === "queued") {
      accepted.add(number);
      for (const reception of this.#receptions.values()) reception.await(publisher, number);
    } else this.violation(`${publisher} said: ${line}`);
    if (word === "queued") this.queued++;
    this.#onChange();
  }

  /** An update has arrived. */
  arrivedAt(reader: string, arrival: Arrival): void {
    const late = this.#late.get(reader);
    const problem = (late ?? this.#receptions.get(reader))?.receive(arrival);
    if (problem && !late) this.violation(`${reader} got ${nameOf(arrival)} ${problem}`);
    this.#unverified.push({ reader, arrival });
    this.#onChange();
  }

  /** A reader has been killed: some updates may come again. */
  killed(reader: string): void {
    this.#receptions.get(reader)?.interrupt();
  }

  /** Something that must not be. */
  violation(text: string): void {
    this.violations.push(text);
    this.#onChange();
  }

  /** What was accepted and has not arrived, by reader and publisher. */
  missing(): Missing[] {
    return [...this.#receptions].flatMap(([reader, reception]) =>
      [...this.#accounts.keys()].map((publisher) => ({
        reader,
        publisher,
        numbers: reception.missing(publisher),
      }))
    ).filter(({ numbers }) => numbers.length > 0);
  }

  /** The feeds of which a late reader lacks the newest update, by reader. */
  outdated(): { reader: string; urls: readonly string[] }[] {
    const references = [...this.#receptions.values()];
    return [...this.#late].map(([reader, reception]) => ({
      reader,
      urls: [...new Set(references.flatMap((reference) => reception.olderThan(reference)))],
    })).filter(({ urls }) => urls.length > 0);
  }

  /** Waits until everything has arrived, or something is wrong. */
  async whenComplete({ withLate }: { withLate: boolean } = { withLate: true }): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onChange = () => {
      const isComplete = this.missing().length === 0 &&
        (!withLate || this.outdated().length === 0);
      if (this.violations.length > 0 || isComplete) resolve();
    };
    this.#onChange();
    await promise;
    this.#onChange = () => {};
  }

  /** Compares what has arrived with what was published. Everybody must have been heard by now. */
  verify(): void {
    for (const { reader, arrival } of this.#unverified.splice(0)) {
      const problem = this.#contradiction(arrival) ?? this.#newStream(arrival);
      if (problem) this.violation(`${reader} got ${nameOf(arrival)} ${problem}`);
    }
    for (const [reader, reception] of this.#receptions) {
      for (const url of reception.outdated()) {
        this.violation(`${reader} did not end with the newest update of ${url}`);
      }
    }
  }

  /** No state is copied or restored here, nor does the newest commit of a stream expire. */
  #newStream({ server, stream }: Arrival): string | undefined {
    const known = this.#streams.get(server) ?? stream;
    this.#streams.set(server, stream);
    return known === stream ? undefined : `in ${stream}, which was begun after ${known}`;
  }

  #contradiction({ publisher, number, time }: Arrival): string | undefined {
    const account = this.#accounts.get(publisher);
    const tried = account?.tried.get(number);
    if (tried === undefined) return "which nobody has published";
    if (account!.refused.has(number)) return "which was refused";
    if (Math.abs(time - tried) <= CLOCK_ERROR) return undefined;
    const [said, right] = [time, tried].map((ms) => new Date(ms).toISOString());
    return `of ${said}, which was published at ${right}`;
  }
}

function nameOf({ publisher, number }: Arrival): string {
  return `update ${number} of ${publisher}`;
}

function sum<T>(parts: ReadonlyMap<string, T>, count: (part: T) => number): number {
  return [...parts.values()].reduce((total, part) => total + count(part), 0);
}
