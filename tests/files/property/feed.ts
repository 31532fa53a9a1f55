import { Buffer } from "node:buffer";
import { contentBytes, type Update } from "../../../mod.ts";

/** What a file holds, a character a byte; null: it is gone; undefined: a link that leads nowhere. */
export type Content = string | null | undefined;

/** What was published of a URL, in order; null: that the feed is gone. */
export type Published = readonly (string | null)[];

/** The content of an update. */
export function contentOf(update: Update): string | null {
  const bytes = contentBytes(update);
  return bytes ? Buffer.from(bytes).toString("latin1") : null;
}

/** The bytes of a content. */
export function bytesOf(content: string): Uint8Array {
  return Buffer.from(content, "latin1");
}

/** File times and timers are that coarse, in milliseconds. */
const TOLERANCE = 15;

/** How files are published. */
export interface Rules {
  /** Milliseconds without a change after which a file is taken to be complete. */
  readonly settle: number;
  /** Whether it is published that a file is gone. */
  readonly publishRemovals: boolean;
}

interface State {
  readonly content: Content;
  /** Its writer was not done: it may be published only if it was left alone for long enough. */
  readonly half: boolean;
  readonly begun: number;
  ended: number;
}

/** A feed file and all that it ever held. */
export class Feed {
  /** Where its content is when it is a link. */
  target: string | undefined;
  readonly #states: State[] = [];

  /**
   * @param handle the path through which it is written: another one when its name is not UTF-8.
   * @param hasDetails only its `.feed.json` tells the URL.
   */
  constructor(
    readonly url: string,
    readonly path: string,
    readonly handle: string,
    readonly hasDetails: boolean,
  ) {}

  /** What it holds now. */
  get content(): Content {
    const state = this.#states.at(-1);
    return state ? state.content : null;
  }

  /** All that was ever written to it completely. */
  get contents(): string[] {
    return this.#states.flatMap(({ half, content }) =>
      !half && typeof content === "string" ? content : []
    );
  }

  /** Its content changes while `act` runs. */
  become(content: Content, act: () => unknown, options?: { half?: boolean }): Promise<void> {
    return together([[this, content]], act, options);
  }

  /** Begins a state; returns what ends the one before. A change counts to both. */
  enter(content: Content, half: boolean): () => void {
    const before = this.#states.at(-1);
    this.#states.push({ content, half, begun: performance.now(), ended: Infinity });
    return () => {
      if (before) before.ended = performance.now();
    };
  }

  /** Whether what it holds now was published last; what is empty is not published. */
  isPublished(published: Published, { publishRemovals }: Rules): boolean {
    const last = published.at(-1);
    if (this.content === "") return true;
    if (this.content === null) return !publishRemovals || typeof last !== "string";
    return this.content === undefined || last === this.content;
  }

  /** What is wrong with what was published; undefined: nothing. */
  problem(published: Published, rules: Rules): string | undefined {
    if (!this.isPublished(published, rules)) return "its last content was not published last";
    if (!rules.publishRemovals && published.includes(null)) return "its removal was published";
    if (published.includes("")) return "it was published when it was empty";
    if (published.some((content, i) => i > 0 && content === published[i - 1])) {
      return "the same was published twice in a row";
    }
    let reached = 0;
    for (const content of published) {
      const at = this.#states.findIndex((state, i) =>
        i >= reached && state.content === content &&
        (!state.half || state.ended - state.begun > rules.settle - TOLERANCE)
      );
      if (at < 0) return `it did not hold this then, or was only half written: ${brief(content)}`;
      reached = at + 1;
    }
  }

  /** Its history and what was published, for people. */
  describe(published: Published): string {
    const states = this.#states.map(({ content, half, begun, ended }) =>
      `${Math.round(begun)}–${Math.round(ended)} ${half ? "half " : ""}${brief(content)}`
    );
    return [this.path, ...states, "published:", ...published.map(brief)].join("\n  ");
  }
}

/** The contents of all these feeds change at once while `act` runs. */
export async function together(
  changes: readonly (readonly [Feed, Content])[],
  act: () => unknown,
  { half = false } = {},
): Promise<void> {
  const ends = changes.map(([feed, content]) => feed.enter(content, half));
  await act();
  for (const end of ends) end();
}

function brief(content: Content): string {
  if (typeof content !== "string") return content === null ? "gone" : "a link to nowhere";
  return `${JSON.stringify(content.slice(0, 20))} (${content.length} bytes)`;
}
