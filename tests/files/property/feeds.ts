import { basename, join } from "node:path";
import { Chance } from "../../sim/chance.ts";
import { isRaw, linkRaw } from "./disk.ts";
import { bytesOf, Feed, together } from "./feed.ts";
import { CHANGES, CREATIONS, Operations, type Pause } from "./operations.ts";

type Form = (i: number) => [name: string, url: string, hasDetails?: true];

/** Names of the i-th feed file, in all their forms, and the URLs that they stand for. */
const FORMS: readonly Form[] = [
  (i) => [`https___p.example_n${i}.feed`, `https://p.example/n${i}`],
  (i) => [`https%3A%2F%2Fp.example%2Fn${i}.feed`, `https://p.example/n${i}`],
  (i) => [`https___p.example_n${i}é.feed`, `https://p.example/n${i}%C3%A9`],
  (i) => [`feed-${i}.feed`, `https://p.example/n${i}`, true],
  (i) => [`https___p.example_n${i}\ufffd.feed`, `https://p.example/n${i}%EF%BF%BD`],
];

/** A name that is not UTF-8. */
const RAW: Form = (i) => [`https___p.example_n${i}\udce9.feed`, `https://p.example/n${i}%E9`];

const none: Pause = () => Promise.resolve();

/** A directory of feed files, changed as a seed has it. */
export class Feeds {
  /** The directory. */
  readonly directory: string;
  /** Its files, whether they are there or not. */
  readonly all: readonly Feed[];
  /** What was done, for people. */
  readonly log: string[] = [];
  readonly #chance: Chance;
  readonly #outside: string;

  private constructor(root: string, chance: Chance, count: number, rawNames: number) {
    this.directory = join(root, "feeds");
    this.#outside = join(root, "outside");
    this.#chance = chance;
    this.all = Array.from({ length: count }, (_, i) => {
      const hasRawName = i > 0 && chance.happens(rawNames);
      const [name, url, hasDetails = false] = (hasRawName ? RAW : FORMS[i % FORMS.length])(i);
      const path = join(this.directory, name);
      return new Feed(url, path, hasRawName ? join(this.#outside, `raw-${i}`) : path, hasDetails);
    });
  }

  /** A directory in `root` for files that are not there yet; `rawNames` of them are not UTF-8. */
  static async prepare(root: string, chance: Chance, count: number, rawNames: number) {
    const feeds = new Feeds(root, chance, count, rawNames);
    await Deno.mkdir(feeds.#outside);
    await feeds.#make(feeds.directory);
    await linkRaw(feeds.all.filter(({ path }) => isRaw(path)));
    return feeds;
  }

  /** Changes up to three files side by side, or the directory. */
  async change(pause: Pause): Promise<void> {
    const chance = this.#chance;
    if (chance.happens(0.06)) return await this.#changeDirectory(pause);
    const idle = [...this.all];
    const take = () => idle.splice(chance.whole(0, idle.length - 1), 1)[0];
    await Promise.all(Array.from({ length: chance.whole(1, 3) }, () => {
      const feed = take();
      const moves = typeof feed.content === "string" && chance.happens(0.1);
      return moves ? this.#move(feed, take(), pause) : this.changeOne(feed, pause);
    }));
  }

  /** Changes this file. */
  changeOne(feed: Feed, pause: Pause): Promise<void> {
    const name = this.#chance.pick(typeof feed.content === "string" ? CHANGES : CREATIONS);
    this.#note(name, feed);
    return this.#operations(pause)[name](feed);
  }

  /** Writes the first file: an empty directory may be one that is not mounted, and removes nothing. */
  async end(): Promise<void> {
    await this.#operations(none).replace(this.all[0]);
  }

  #move(feed: Feed, other: Feed, pause: Pause): Promise<void> {
    this.#note("move", feed, other);
    return this.#operations(pause).move(feed, other);
  }

  /** Each with a chance of its own, so that it does not matter how those side by side take turns. */
  #operations(pause: Pause): Operations {
    const chance = new Chance(this.#chance.whole(0, 2 ** 32));
    return new Operations(chance, pause, this.directory, this.#outside);
  }

  async #changeDirectory(pause: Pause): Promise<void> {
    const change = this.#chance.pick(["leave and return", "delete", "replace"] as const);
    this.#note(change);
    const aside = join(this.#outside, this.#chance.token()), next = `${aside}-next`;
    if (change === "leave and return") {
      await Deno.rename(this.directory, aside);
      for (let i = 0; i < 5; i++) await pause();
      return await Deno.rename(aside, this.directory);
    }
    await this.#make(next);
    const contents = change === "replace" ? await this.#fill(next) : [];
    for (const feed of this.all) feed.target = undefined;
    await together(
      this.all.map((feed) => [feed, null]),
      () =>
        change === "delete"
          ? Deno.remove(this.directory, { recursive: true })
          : Deno.rename(this.directory, aside),
    );
    await pause();
    await together(contents, () => Deno.rename(next, this.directory));
  }

  /** A directory without feeds, but with their `.feed.json`: nobody else tells which feed is gone. */
  async #make(directory: string): Promise<void> {
    await Deno.mkdir(directory);
    if (this.#chance.happens(0.5)) await addOthers(directory);
    for (const { url, path, hasDetails } of this.all) {
      const details = join(directory, `${basename(path)}.json`);
      if (hasDetails) await Deno.writeTextFile(details, JSON.stringify({ url }));
    }
  }

  /** Writes some of the files, in a directory that is not watched yet. */
  async #fill(directory: string): Promise<[Feed, string][]> {
    const feeds = this.all.filter(({ path }) => !isRaw(path) && this.#chance.happens(0.5));
    const contents = feeds.map((feed): [Feed, string] => [
      feed,
      this.#operations(none).content(feed),
    ]);
    for (const [{ path }, content] of contents) {
      await Deno.writeFile(join(directory, basename(path)), bytesOf(content));
    }
    return contents;
  }

  #note(what: string, ...feeds: Feed[]): void {
    const names = feeds.map(({ path }) => basename(path));
    this.log.push([Math.round(performance.now()), what, ...names].join(" "));
  }
}

/** What is no feed file, though it looks like one: nothing of it may be published. */
async function addOthers(directory: string): Promise<void> {
  await Deno.writeTextFile(join(directory, ".https___p.example_hidden.feed"), "hidden");
  await Deno.writeTextFile(join(directory, "https___p.example_backup.feed~"), "backup");
  await Deno.mkdir(join(directory, "https___p.example_directory.feed"));
  await Deno.symlink("nowhere", join(directory, "https___p.example_link.feed"));
}
