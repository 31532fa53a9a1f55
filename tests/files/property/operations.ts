import { join } from "node:path";
import type { Chance } from "../../sim/chance.ts";
import { remove, rename } from "./disk.ts";
import { bytesOf, type Feed, together } from "./feed.ts";

/** Lets time pass, in which others do something. */
export type Pause = () => Promise<void>;

/** What can be done to a file that is there. */
export const CHANGES = [
  ...["write", "append", "truncate", "empty", "overwrite", "replace", "link"] as const,
  ...["dangle", "leave", "remove", "rewriteDetails"] as const,
];

/** How a file can come to be. */
export const CREATIONS = ["write", "replace", "link"] as const;

/** Sizes that are often the same, so that not every change shows in the size. */
const SIZES = [20, 20, 20, 300, 20_000];

/** What people and programs do to files, one after the other. */
export class Operations {
  readonly #chance: Chance;
  readonly #pause: Pause;
  readonly #directory: string;
  readonly #outside: string;

  /** For feed files in `directory`; what does not matter yet is in `outside`. */
  constructor(chance: Chance, pause: Pause, directory: string, outside: string) {
    this.#chance = chance;
    this.#pause = pause;
    this.#directory = directory;
    this.#outside = outside;
  }

  /** Empties the file, and writes it piece by piece. */
  async write(feed: Feed): Promise<void> {
    const content = this.content(feed);
    await feed.become("", () => Deno.writeFile(feed.handle, bytesOf("")), { half: true });
    if (this.#chance.happens(0.5)) await this.#pause();
    await this.#write(feed, "", content);
  }

  /** Writes on at the end, piece by piece. */
  append(feed: Feed): Promise<void> {
    return this.#write(feed, feed.content!, this.content(feed));
  }

  /** Cuts the end off. */
  truncate(feed: Feed): Promise<void> {
    return this.#truncate(feed, this.#chance.whole(0, feed.content!.length));
  }

  /** Leaves nothing in it. */
  empty(feed: Feed): Promise<void> {
    return this.#truncate(feed, 0);
  }

  /** Writes over the bytes that are there, and sets the time of the last change back. */
  overwrite(feed: Feed): Promise<void> {
    const { length } = feed.content!;
    const over = this.content(feed, length).slice(0, length);
    return feed.become(over + feed.content!.slice(over.length), async () => {
      using file = await Deno.open(feed.handle, { write: true });
      const { atime, mtime } = await file.stat();
      await file.write(bytesOf(over));
      await file.utime(atime!, mtime!);
    });
  }

  /** Renames a complete file over it, or over what it links to; the file may be an old one. */
  async replace(feed: Feed): Promise<void> {
    const content = this.content(feed);
    const complete = await this.#complete(content);
    if (this.#chance.happens(0.4)) await Deno.utime(complete, 1_000_000_000, 1_000_000_000);
    if (this.#chance.happens(0.5)) feed.target = undefined;
    await feed.become(content, () => rename(complete, feed.target ?? feed.path));
  }

  /** Replaces it by a link to a complete file elsewhere. */
  async link(feed: Feed): Promise<void> {
    const content = this.content(feed);
    const [target, link] = [await this.#complete(content), this.#newPath()];
    await Deno.symlink(target, link);
    feed.target = target;
    await feed.become(content, () => rename(link, feed.path));
  }

  /** Removes what it links to. */
  async dangle(feed: Feed): Promise<void> {
    if (feed.target) await feed.become(undefined, () => Deno.remove(feed.target!));
  }

  /** Moves it out of the directory, and perhaps back. */
  async leave(feed: Feed): Promise<void> {
    const { content } = feed;
    const elsewhere = this.#newPath();
    await feed.become(null, () => rename(feed.path, elsewhere));
    if (this.#chance.happens(0.5)) {
      await this.#pause();
      await feed.become(content, () => rename(elsewhere, feed.path));
    } else feed.target = undefined;
  }

  /** Removes it, and perhaps makes it again. */
  async remove(feed: Feed): Promise<void> {
    feed.target = undefined;
    await feed.become(null, () => remove(feed.path));
    if (this.#chance.happens(0.5)) {
      await this.#pause();
      await this[this.#chance.pick(CREATIONS)](feed);
    }
  }

  /** Moves it to the place of another one. */
  move(feed: Feed, other: Feed): Promise<void> {
    [feed.target, other.target] = [undefined, feed.target];
    const changes = [[other, feed.content], [feed, null]] as const;
    return together(changes, () => rename(feed.path, other.path));
  }

  /** Writes other metadata into its `.feed.json`, in two pieces. */
  async rewriteDetails({ url, path, hasDetails }: Feed): Promise<void> {
    if (!hasDetails) return;
    const text = JSON.stringify({ url, metadata: { token: this.#chance.token() } });
    await Deno.writeTextFile(`${path}.json`, text.slice(0, 10));
    await this.#pause();
    await Deno.writeTextFile(`${path}.json`, text.slice(10), { append: true });
  }

  /** New content, or some that the file has held lately; not all is UTF-8. */
  content({ contents }: Feed, size: number = this.#chance.pick(SIZES)): string {
    const latest = contents.slice(-3);
    if (latest.length > 0 && this.#chance.happens(0.4)) return this.#chance.pick(latest);
    const end = this.#chance.happens(0.2) ? "\xe9" : ".";
    return this.#chance.token().padEnd(size - 1, "x") + end;
  }

  #truncate(feed: Feed, length: number): Promise<void> {
    return feed.become(feed.content!.slice(0, length), async () => {
      // `Deno.truncate` follows no links.
      using file = await Deno.open(feed.handle, { write: true });
      await file.truncate(length);
    });
  }

  async #write(feed: Feed, begin: string, content: string): Promise<void> {
    const pieces = this.#chance.whole(1, 3);
    for (let piece = 1, from = 0; piece <= pieces; piece++) {
      if (piece > 1) await this.#pause();
      const to = Math.floor(content.length * piece / pieces);
      const bytes = bytesOf(content.slice(from, to));
      const half = piece < pieces;
      const write = () => Deno.writeFile(feed.handle, bytes, { append: true });
      await feed.become(begin + content.slice(0, to), write, { half });
      from = to;
    }
  }

  /** A complete file that is none of the feeds. */
  async #complete(content: string): Promise<string> {
    const name = `${this.#chance.token()}.tmp`;
    const path = join(this.#chance.pick([this.#directory, this.#outside]), name);
    await Deno.writeFile(path, bytesOf(content));
    return path;
  }

  #newPath(): string {
    return join(this.#outside, this.#chance.token());
  }
}
