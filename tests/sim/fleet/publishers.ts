import type { Chance } from "../chance.ts";
import type { FleetMix, Mood } from "./mix.ts";
import { MINUTE } from "./mix.ts";

/** What a publisher answers. */
export interface Answer {
  /** Undefined: nothing, or what cannot be read. */
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string | undefined;
  readonly scope: "url" | "host" | "domain";
  /** For how long it asks to be left alone, in milliseconds. */
  readonly pauseMs: number;
}

/** A feed as its publisher has it. */
export interface SourceFeed {
  readonly url: string;
  readonly host: string;
  readonly domain: string;
  content: string;
  changesAt: number;
}

const HOSTS = ["", "www.", "feeds."];

/** The publishers of all feeds: each content has its own validators. */
export class Publishers {
  readonly feeds: ReadonlyMap<string, SourceFeed>;
  readonly #chance: Chance;
  readonly #mix: FleetMix;
  #contents = 0;
  /** What each validator stands for. */
  readonly #contentOf = new Map<string, string>();

  constructor(chance: Chance, mix: FleetMix) {
    this.#chance = chance;
    this.#mix = mix;
    this.feeds = new Map(
      Array.from({ length: mix.feeds }, (_, index) => {
        const domain = `site-${index % mix.domains}.com`, host = chance.pick(HOSTS) + domain;
        const url = `https://${host}/feed-${index}.xml`;
        return [url, { url, host, domain, content: this.#newContent(), changesAt: 0 }];
      }),
    );
  }

  /** The content that a validator was sent with. */
  contentOf(validator: string): string | undefined {
    return this.#contentOf.get(validator);
  }

  /** Answers a request. */
  answer(url: string, requested: Readonly<Record<string, string>>, now: number): Answer {
    const feed = this.feeds.get(url)!, chance = this.#chance;
    if (now >= feed.changesAt) {
      feed.content = this.#newContent();
      feed.changesAt = now + this.#mix.everyMs * chance.between(0.2, 5);
    }
    const mood = (Object.keys(this.#mix.moods) as Mood[])
      .find((name) => chance.happens(this.#mix.moods[name]));
    const nothing = { headers: {}, content: undefined, scope: "url", pauseMs: 0 } as const;
    if (mood === "silent") return { ...nothing, status: undefined };
    if (mood === "fails") return { ...nothing, status: chance.pick([404, 500, 502, 503]) };
    if (mood === "moved") return { ...nothing, status: 410 };
    if (mood === "busy") return this.#busy(now);
    const etag = etagOf(feed.content);
    this.#contentOf.set(etag, feed.content);
    const pauseMs = mood === "cached" ? Math.round(this.#mix.everyMs * chance.between(0.5, 2)) : 0;
    const isSame = requested["If-None-Match"] === etag;
    const content = isSame ? undefined : feed.content;
    const headers: Record<string, string> = { ETag: etag };
    if (pauseMs > 0) headers["Cache-Control"] = `max-age=${Math.ceil(pauseMs / 1000)}`;
    return { ...nothing, status: isSame ? 304 : 200, headers, content, pauseMs };
  }

  #busy(now: number): Answer {
    const chance = this.#chance;
    const seconds = Math.round(this.#mix.everyMs * chance.between(0.3, 4) / 1000);
    const isDate = chance.happens(0.3);
    const date = (time: number) => new Date(Math.ceil(time / 1000) * 1000).toUTCString();
    return {
      status: chance.pick([429, 503]),
      headers: isDate
        ? { "Retry-After": date(now + seconds * 1000), Date: date(now) }
        : { "Retry-After": String(seconds) },
      content: undefined,
      scope: chance.pick(["url", "url", "host", "domain"]),
      pauseMs: seconds * 1000 - (isDate ? 1000 : 0),
    };
  }

  #newContent(): string {
    return `content ${++this.#contents} ${this.#chance.token()}`;
  }
}

/** The longest that an answer takes. */
export const ANSWER_MS = MINUTE / 2;

function etagOf(content: string): string {
  return `"${content.split(" ")[1]}"`;
}
