/**
 * What this server has checked, for those who take its feeds over, and the other way round.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { OnceLog } from "../../base/once_log.ts";
import { messageOf } from "../../errors.ts";
import type { FeedCheck, HeldHost, ServerChecks } from "../../log/fleet/checks.ts";
import type { Core } from "../../state/core.ts";
import type { KnownCheck, TurnRow } from "../../state/turns.ts";
import type { StoreOptions } from "../../stores/store.ts";
import { MAX_FEED_PAUSE_MS, usableValidators } from "./consequences.ts";
import { CLOCK_TOLERANCE_MS } from "./schedule.ts";

const logger = getLogger(["feedsync", "fleet"]);

/** Delay between two writes. */
const WRITE_MS = 5 * 60 * 1000;

/** Maximum number of feeds and of hosts that are handed over, and that are accepted. */
const MAX_FEEDS = 200_000, MAX_HELD = 10_000;

/** More failures make no difference. */
const MAX_FAILURES = 100;

/** Options of {@linkcode Handover.writeIfDue}. */
export interface WriteOptions extends StoreOptions {
  /** Whether to write whatever has changed at once. @default false */
  readonly force?: boolean | undefined;
}

/** Options of {@linkcode Handover.readFrom}. */
export interface ReadOptions extends StoreOptions {
  /**
   * Hashes of the feeds that are taken over: those of others stay with them, and would be handed on
   * and on. @default all
   */
  readonly feeds?: ReadonlySet<string> | undefined;
}

/** Writes and reads checks, by the state alone: any process of the server may do so. */
export class Handover {
  readonly #core: Core;
  readonly #server: string;
  readonly #problems: OnceLog;

  /** Does nothing yet; `server` is the name of this one. */
  constructor(core: Core, { server }: { readonly server: string }) {
    this.#core = core;
    this.#server = server;
    this.#problems = new OnceLog(logger, core.environment.clock);
  }

  /**
   * Writes what was checked, if that has changed: every five minutes, or when another server waits
   * for it.
   */
  async writeIfDue({ force = false, signal }: WriteOptions = {}): Promise<void> {
    const { state: { turns }, log } = this.#core;
    const revision = turns.revision();
    if (revision === 0 || revision === turns.fact("checksRevision")) return;
    const now = log.now(), age = now - Number(turns.fact("checksWrittenAt") ?? -Infinity);
    const isAwaited = Number(turns.fact("checksAwaited") ?? 0) === 1;
    if (!force && !isAwaited && age >= 0 && age < WRITE_MS) return;
    const checks = this.#checks(now);
    if (checks.feeds.length + checks.held.length === 0) return;
    await log.fleet.writeChecks(this.#server, checks, { signal });
    turns.setFact("checksWrittenAt", Math.round(now));
    turns.setFact("checksRevision", revision);
    turns.setFact("checksAwaited", 0);
  }

  /**
   * Reads what a server has checked and takes it over where it is newer. Without it, feeds may be
   * fetched too early: where it cannot be read, nothing else happens.
   */
  async readFrom(
    server: string,
    { feeds, signal }: ReadOptions = {},
  ): Promise<ServerChecks | undefined> {
    try {
      const checks = await this.#core.log.fleet.readChecks(server, { signal });
      if (checks) this.apply(checks, feeds);
      this.#problems.resolved(server);
      return checks;
    } catch (error) {
      signal?.throwIfAborted();
      this.#problems.problem(server, {
        text: "Cannot read what {server} has checked; feeds may be fetched too early: {message}",
        properties: { server, message: messageOf(error) },
      });
      return undefined;
    }
  }

  /** Takes over what a server has checked, where it is newer. */
  apply({ feeds, held }: ServerChecks, wanted?: ReadonlySet<string>): void {
    const { state, log } = this.#core;
    const now = Math.round(log.now());
    const isPast = (time: number) => time <= now + CLOCK_TOLERANCE_MS;
    const limit = now + MAX_FEED_PAUSE_MS;
    state.transaction(() => {
      for (const check of feeds.slice(0, MAX_FEEDS)) {
        if (wanted && !wanted.has(check.feed)) continue;
        if (isPast(check.checkedAt)) state.turns.noteCheck(knownCheck(check, limit));
      }
      const known = new Map(
        state.turns.held(now, MAX_HELD).map(({ host, until }) => [host, until]),
      );
      for (const { host, until } of held.slice(0, MAX_HELD - known.size)) {
        if (until <= now || until > limit || until <= (known.get(host) ?? 0)) continue;
        state.turns.hold({ host, until });
      }
    }, { durable: false });
  }

  #checks(now: number): ServerChecks {
    const { turns } = this.#core.state;
    return {
      feeds: turns.toHandOver(Math.round(now), MAX_FEEDS).map(feedCheck),
      held: turns.held(Math.round(now), MAX_HELD).map(({ host, until }): HeldHost => ({
        host,
        until,
      })),
    };
  }
}

function feedCheck(row: TurnRow): FeedCheck {
  const { feed, checkedAt, notBefore, failures, contentHash: hash } = row;
  const validators = {
    ...row.etag !== null && { etag: row.etag },
    ...row.lastModified !== null && { lastModified: row.lastModified },
  };
  return {
    feed,
    checkedAt,
    notBefore,
    failures,
    ...hash !== null && { validators: { ...validators, hash } },
  };
}

/** Validators that cannot be sent are left out; nobody else holds a feed for longer than a day. */
function knownCheck({ validators, ...check }: FeedCheck, limit: number): KnownCheck {
  const { etag = null, lastModified = null } = usableValidators(validators ?? {});
  return {
    ...check,
    notBefore: check.notBefore > limit ? 0 : check.notBefore,
    failures: Math.min(check.failures, MAX_FAILURES),
    etag,
    lastModified,
    contentHash: etag === null && lastModified === null ? null : validators!.hash,
  };
}
