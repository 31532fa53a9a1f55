/**
 * Finds the peers in the bucket: the servers that are present and advertise an address.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { createHash } from "node:crypto";
import { forEachConcurrently } from "../base/concurrently.ts";
import { OnceLog } from "../base/once_log.ts";
import { messageOf } from "../errors.ts";
import { whyUnreadable } from "../log/why_unreadable.ts";
import type { DatedPresence, PresenceName } from "../log/fleet/names.ts";
import type { StoredPresence } from "../log/fleet/fleet_log.ts";
import type { Core } from "../state/core.ts";
import type { Peers } from "../wake/send/peers.ts";
import { type AddressVerdict, checkAddress } from "./advertise.ts";
import type { FleetMember } from "./member.ts";
import { identityOf, LIVES } from "./view.ts";

const logger = getLogger(["feedsync", "wake"]);

/** Maximum number of peers: each is sent every commit. */
const MAX_PEERS = 64;

/** Maximum number of presences read after one listing, and of them at a time. */
const MAX_READS = 1000, MAX_PARALLEL_READS = 8;

/** Maximum number of servers remembered because they greeted. */
const MAX_GREETED = 1000;

/** A listing that ends so soon after a greeting may have begun before the presence was written. */
const LISTING_LAG_MS = 60_000;

/** An address is checked again after this time: the presence may be kept alive by somebody else. */
const BELIEF_MS = 24 * 60 * 60 * 1000;

/** Options of {@linkcode AutoPeers}. */
export interface AutoPeersOptions {
  /** The peers that are replaced. */
  readonly peers: Peers;
  /** The secret shared by all peers. */
  readonly secret: string;
  /** The origin that this server advertises. */
  readonly advertise: string | undefined;
  /** Stores the own presence. */
  readonly member: Pick<FleetMember, "stored">;
}

/** What is known about the address of a server. */
interface KnownAddress {
  readonly verdict: AddressVerdict | "unreadable";
  /** The address, if it is valid. */
  readonly origin?: string | undefined;
  /** When it was checked, by the monotonic clock. */
  readonly checkedAt: number;
  /** When the presence was written. */
  readonly writtenAt: number | undefined;
  /** The keys that it was read with. */
  readonly keysRevision: number;
  /** When the server greeted this one, by the monotonic clock. */
  readonly greetedAt?: number | undefined;
}

/** Keeps the peers those that are present. */
export class AutoPeers {
  readonly #core: Core;
  readonly #options: AutoPeersOptions;
  readonly #problems: OnceLog;
  /** What is known, by process of a server. */
  readonly #known = new Map<string, KnownAddress>();
  /** Those that know this server: they were greeted, or have greeted. */
  readonly #met = new Set<string>();
  /** Makes each server choose other peers where there are too many. */
  readonly #seed: string;
  #count = 0;

  /** Nobody is known yet. */
  constructor(core: Core, options: AutoPeersOptions) {
    this.#core = core;
    this.#options = options;
    this.#problems = new OnceLog(logger, core.environment.clock);
    this.#seed = core.environment.random.token();
  }

  /**
   * Makes the servers of a listing that are present the peers. Reads each presence once: the address
   * of a process does not change.
   */
  async update(
    present: readonly DatedPresence[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const others = new Map(
      present.filter((name) => !this.#isOwn(name)).map((name) => [identityOf(name), name]),
    );
    this.#forgetGone(others);
    const unread = [...others].filter(([identity, name]) => this.#isUnread(identity, name))
      .map(([identity, name]) => ({ rank: this.#rank(identity), name }))
      .sort(byRank).slice(0, MAX_READS);
    const limits = { limit: MAX_PARALLEL_READS, signal };
    await forEachConcurrently(unread, limits, ({ name }, signal) => this.#read(name, signal));
    this.#replacePeers();
  }

  /**
   * Takes the greeting of a server: it counts as a peer until listings show otherwise.
   *
   * @throws {CorruptObjectError | MissingKeyError | UnsupportedFormatError} when the presence cannot
   * be read.
   */
  async greeted(name: PresenceName, stored: Uint8Array): Promise<void> {
    const { log, environment: { clock } } = this.#core;
    const identity = identityOf(name);
    const presence = await log.fleet.openPresence(name, stored);
    if (this.#isOwn(name) || !this.#hasRoomFor(identity)) return;
    const known = this.#judge(name, presence, log.now());
    if (known.verdict !== "valid") {
      logger.debug("Ignoring a greeting of {stream}: its address is not valid ({verdict})", {
        stream: name.stream,
        verdict: known.verdict,
      });
      return;
    }
    this.#known.set(identity, { ...known, greetedAt: clock.elapsed() });
    this.#met.add(identity);
    this.#replacePeers();
    this.#options.peers.retry(known.origin!);
  }

  #isOwn({ stream }: PresenceName): boolean {
    return stream === this.#core.state.ownStream.load().stream;
  }

  #hasRoomFor(identity: string): boolean {
    if (this.#known.has(identity)) return true;
    const greeted = [...this.#known.values()].filter(({ greetedAt }) => greetedAt !== undefined);
    return greeted.length < MAX_GREETED;
  }

  #forgetGone(others: ReadonlyMap<string, DatedPresence>): void {
    const now = this.#core.environment.clock.elapsed();
    for (const [identity, { greetedAt = -Infinity }] of this.#known) {
      if (others.has(identity) || now - greetedAt <= LISTING_LAG_MS) continue;
      this.#known.delete(identity);
      this.#met.delete(identity);
    }
  }

  #isUnread(identity: string, { lastModified, interval }: DatedPresence): boolean {
    const { log, environment: { clock } } = this.#core;
    const known = this.#known.get(identity);
    if (!known) {
      // Servers that crashed are present for a while; those that are alive write again.
      return log.now() - (lastModified ?? Infinity) <= LIVES * interval * 1000;
    }
    const { verdict, checkedAt, writtenAt, keysRevision } = known;
    if (verdict === "valid" || verdict === "none") return clock.elapsed() - checkedAt > BELIEF_MS;
    return lastModified !== writtenAt || keysRevision !== log.keysRevision;
  }

  /** Reads a presence; what cannot be read now is read after the next listing. */
  async #read(name: DatedPresence, signal: AbortSignal): Promise<void> {
    const { log } = this.#core, identity = identityOf(name);
    const { lastModified: writtenAt } = name;
    try {
      const presence = await log.fleet.readPresence(name, { signal });
      if (!presence) return;
      const { greetedAt } = this.#known.get(identity) ?? {};
      const known = this.#judge(name, presence, writtenAt ?? log.now());
      this.#known.set(identity, { ...known, writtenAt, greetedAt });
    } catch (error) {
      signal.throwIfAborted();
      logger.debug("Cannot read {key}: {message}", { key: name.key, message: messageOf(error) });
      if (whyUnreadable(error) === undefined) return;
      this.#known.set(identity, { ...this.#now(), verdict: "unreadable", writtenAt });
    }
  }

  #judge(name: PresenceName, { report }: StoredPresence, writtenAt: number): KnownAddress {
    const { secret } = this.#options, { advertise } = report, store = this.#core.log.url;
    const verdict = checkAddress(name, advertise, { secret, store, writtenAt });
    const origin = verdict === "valid" ? advertise!.origin : undefined;
    return { ...this.#now(), verdict, origin, writtenAt };
  }

  #now() {
    const { log, environment: { clock } } = this.#core;
    return { checkedAt: clock.elapsed(), keysRevision: log.keysRevision };
  }

  /** Makes those the peers that are known, and greets the ones that may not know this server. */
  #replacePeers(): void {
    const { peers, advertise, member: { stored } } = this.#options;
    const chosen = this.#choose();
    peers.replace(chosen);
    if (chosen.length !== this.#count) {
      logger.info("Peers found in the bucket: {count}", { count: chosen.length });
      this.#count = chosen.length;
    }
    if (advertise === undefined || !stored) return; // There is no address to tell.
    const strangers = [...this.#known].filter(([identity, { origin }]) =>
      origin !== undefined && !this.#met.has(identity) && chosen.includes(origin)
    );
    for (const [identity] of strangers) this.#met.add(identity);
    peers.greet([...new Set(strangers.map(([, { origin }]) => origin!))], stored);
  }

  /** The origins of the peers. Of too many each server takes others, and the same ones each time. */
  #choose(): string[] {
    const valid = [...this.#known.values()].flatMap(({ origin }) => origin ?? []);
    const origins = [...new Set(valid)].filter((origin) => origin !== this.#options.advertise);
    if (origins.length <= MAX_PEERS) {
      this.#problems.resolved("many");
      return origins;
    }
    this.#problems.problem("many", {
      text:
        "There are {count} peers, which is too many: commits are sent to {max} of them, and the " +
        "others find them by polling",
      properties: { count: origins.length, max: MAX_PEERS },
      kind: "many",
    });
    return origins.map((name) => ({ rank: this.#rank(name), name })).sort(byRank)
      .slice(0, MAX_PEERS).map(({ name }) => name);
  }

  #rank(text: string): string {
    return createHash("sha256").update(`${this.#seed} ${text}`).digest("hex");
  }
}

function byRank(one: { readonly rank: string }, other: { readonly rank: string }): number {
  return one.rank < other.rank ? -1 : 1;
}
