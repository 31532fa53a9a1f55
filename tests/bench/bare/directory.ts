/**
 * A directory with objects as files, which survive a crash of the machine.
 *
 * @module
 */
import { dirname, join } from "node:path";
import type { BareStore } from "./store.ts";

/** The objects below `root`. */
export function bareDirectory(root: string): BareStore {
  return {
    async put(key, body) {
      const path = join(root, key), temporary = join(root, crypto.randomUUID());
      await Deno.mkdir(dirname(path), { recursive: true });
      using file = await Deno.open(temporary, { write: true, createNew: true });
      await file.write(body);
      await file.sync();
      await Deno.rename(temporary, path);
      using directory = await Deno.open(dirname(path));
      await directory.sync();
    },
    get: (key) => Deno.readFile(join(root, key)),
    async list(prefix) {
      const keys: string[] = [];
      for await (const { name, isDirectory } of Deno.readDir(join(root, prefix))) {
        const key = `${prefix}${name}`;
        if (isDirectory) keys.push(...await this.list(`${key}/`));
        else keys.push(key);
      }
      return keys;
    },
  };
}
