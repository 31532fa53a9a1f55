import { configureSync, resetSync } from "@logtape/logtape";
import { join } from "node:path";
import { addKey, dropKey, makeKeyFile, putFirst } from "../../lib/log/encryption/edit_keys.ts";
import type { Envelope } from "../../lib/log/encryption/envelope.ts";
import { JweEnvelope } from "../../lib/log/encryption/jwe_envelope.ts";

/** The store that objects are sealed for unless another one is named. */
const STORE = "memory:";

/** A directory with a key file, removed at the end. */
export class Keys implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync();
  readonly path: string = join(this.directory, "feedsync.keys.json");

  /** A file with one key. */
  static async make(): Promise<Keys> {
    const keys = new Keys();
    await makeKeyFile(keys.path);
    return keys;
  }

  /** An envelope with the keys of this file. */
  envelope({ allowPlaintext = false, store = STORE } = {}): Promise<Envelope> {
    return JweEnvelope.open({ keys: this.path, allowPlaintext }, store);
  }

  /** Adds a key as the last; resolves to its id. */
  async add(): Promise<string> {
    return (await addKey(this.path)).at(-1)!;
  }

  async putFirst(kid: string): Promise<void> {
    await putFirst(this.path, kid);
  }

  async drop(kid: string): Promise<void> {
    await dropKey(this.path, kid);
  }

  /** Another server's copy of the file as it is now. */
  async copy(): Promise<Keys> {
    const copy = new Keys();
    await copy.replaceBy(this);
    return copy;
  }

  /** The file is copied over this one. */
  async replaceBy({ path }: Keys): Promise<void> {
    await Deno.copyFile(path, this.path);
  }

  /** Adds the keys of another file; the first, and the names key, stay what they are. */
  async addAll(others: Keys): Promise<void> {
    const [set, added] = [await this.text(), await others.text()].map((text) => JSON.parse(text));
    await this.write(JSON.stringify({ ...set, keys: [...set.keys, ...added.keys] }));
  }

  /** Makes the file one of 0.1: without a names key. */
  async dropNamesKey(): Promise<void> {
    const { names: _, ...set } = JSON.parse(await this.text());
    await this.write(JSON.stringify(set));
  }

  /** Writes anything into the file. */
  async write(text: string): Promise<void> {
    await Deno.writeTextFile(this.path, text, { mode: 0o600 });
  }

  async text(): Promise<string> {
    return await Deno.readTextFile(this.path);
  }

  /** The ids, in their order. */
  async kids(): Promise<string[]> {
    return JSON.parse(await this.text()).keys.map(({ kid }: { kid: string }) => kid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** What is logged, until it is disposed of: the level and the text of each record. */
export function captureLog(
  lowestLevel: "info" | "debug" = "info",
): Disposable & { readonly lines: string[] } {
  const lines: string[] = [];
  configureSync({
    reset: true,
    sinks: {
      lines: ({ level, message }) => void lines.push(`${level}: ${message.join("")}`),
    },
    loggers: [
      { category: "feedsync", lowestLevel, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
  });
  return { lines, [Symbol.dispose]: () => resetSync() };
}
