import { join } from "node:path";
import { systemEnvironment } from "../../../lib/base/environment.ts";
import type { DeadLetter } from "../../../lib/state/dead_letters.ts";
import { State } from "../../../lib/state/state.ts";
import {
  type FeedContent,
  type Update,
  type UpdateBase,
  updateToJson,
} from "../../../lib/update.ts";
import { feedsync, type Outcome, workspace } from "../feedsync.ts";

export const STREAM = "web-1_abcdefgh";
export const TIME = Date.parse("2026-01-01T00:00:00Z");

/** Fails as long as there is a file `broken`, and notes what it applies. */
export const PICKY = `export default {
  name: "picky",
  async onUpdate({ content, superseded }, { directory }) {
    const broken = await Deno.readTextFile(directory + "/broken").catch(() => undefined);
    if (broken !== undefined) throw new Error(broken);
    const text = content instanceof Uint8Array ? "bytes " + content : JSON.stringify(content);
    const line = text + (superseded ? " superseded" : "") + "\\n";
    await Deno.writeTextFile(directory + "/applied", line, { append: true });
  },
};`;

export const UPDATE: Update = {
  id: crypto.randomUUID(),
  url: "https://example.com/",
  content: "a",
  metadata: { status: 200 },
  server: "web-1",
  time: new Date(TIME).toISOString(),
  stream: STREAM,
  seq: 1,
  superseded: false,
};

/** What is kept of the update with this seq. */
export function letter(
  seq: number,
  { plugin = "picky", error = `Error ${seq}`, ...update }:
    & { readonly plugin?: string; readonly error?: string }
    & Partial<UpdateBase>
    & FeedContent = {},
): DeadLetter {
  const id = UPDATE.id.slice(0, -2) + String(seq).padStart(2, "0");
  const content = JSON.stringify(updateToJson({ ...UPDATE, id, ...update, seq } as Update));
  return { plugin, stream: STREAM, seq, content, error, time: TIME + seq, retryAt: null };
}

/** A server with these dead letters, numbered from 1. */
export async function serverWith(letters: DeadLetter[], config: Record<string, unknown> = {}) {
  const home = await workspace({
    "picky.ts": PICKY,
    "feedsync.json": JSON.stringify({
      server: "web-2",
      store: "file:store",
      state: "web-2.db",
      plugins: ["./picky.ts"],
      ...config,
    }),
  });
  const open = (store = `file:${join(home.path, "store")}`) =>
    new State(join(home.path, "web-2.db"), { server: "web-2", store }, systemEnvironment.random);
  return {
    ...home,
    open,
    /** Keeps the letters. */
    fill(store?: string) {
      using state = open(store);
      for (const letter of letters) state.deadLetters.add(letter);
    },
    file: (name: string) => Deno.readTextFile(join(home.path, name)).catch(() => ""),
    write: (name: string, text: string) => Deno.writeTextFile(join(home.path, name), text),
    remove: (name: string) => Deno.remove(join(home.path, name)),
    run: (...args: string[]) => feedsync(["dead-letters", ...args], { cwd: home.path }),
    /** Id and error of what is kept. */
    kept() {
      using state = open();
      return state.deadLetters.all().map(({ id, error }) => [id, error]);
    },
  };
}

/** Status and id of each line that was printed. */
export function statuses({ json }: Outcome): unknown[] {
  return json().map(({ status, id }) => [status, id]);
}
