/**
 * A disk that is easily filled.
 *
 * @module
 */
import { messageOf } from "../../lib/errors.ts";

/** Room for a state database and its log, and not much more. */
const SIZE = "32m";

/** A disk in memory. */
export class SmallDisk implements AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  /** Nothing more can be written to it. */
  isFull = false;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Mounts one at `path`, an empty directory.
   *
   * @throws {Error} where that is not possible.
   */
  static async mount(path: string): Promise<SmallDisk> {
    if (Deno.build.os !== "linux") throw new Error(`there is no tmpfs on ${Deno.build.os}`);
    await run("mount", "-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", path);
    return new SmallDisk(path);
  }

  /** Fills it to the last byte. */
  fill(): void {
    this.isFull = true;
    using file = Deno.openSync(this.#filler, { create: true, append: true });
    for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 16)) {
      const bytes = new Uint8Array(size);
      try {
        for (;;) file.writeSync(bytes);
      } catch (error) {
        if (!messageOf(error).includes("No space left")) throw error;
      }
    }
  }

  /** Frees what was filled. */
  free(): void {
    if (this.isFull) Deno.removeSync(this.#filler);
    this.isFull = false;
  }

  /** Copies what is on it to a new directory. */
  async save(directory: string): Promise<void> {
    await Deno.mkdir(directory);
    for await (const { name } of Deno.readDir(this.path)) {
      await Deno.copyFile(`${this.path}/${name}`, `${directory}/${name}`);
    }
  }

  /** Unmounts it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", this.path);
  }

  get #filler(): string {
    return `${this.path}/filler`;
  }
}

async function run(name: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
