/**
 * A feed in memory: its row, and what follows from it for now.
 *
 * @module
 */
import type { TurnRow } from "../../state/turns.ts";
import type { OwnerClass } from "./participants.ts";
import { seedOfHash } from "./rendezvous.ts";
import type { Schedule } from "./schedule.ts";
import type { Validators, WaitingTurn } from "./turn.ts";

/** A feed that was asked for. */
export class Feed implements TurnRow, Schedule {
  readonly url: string;
  readonly feed: string;
  readonly host: string;
  readonly domain: string;
  readonly domainName: string;
  readonly phase: number;
  /** Number of the feed in this process, from 0. */
  readonly index: number;
  addedAt = 0;
  askedAt: number | null = 0;
  everyMs = 0;
  checkedAt = 0;
  notBefore = 0;
  failures = 0;
  ttlMs = 0;
  leasedUntil = 0;
  etag: string | null = null;
  lastModified: string | null = null;
  contentHash: string | null = null;
  isOwnContent = 0;
  publishedHash: string | null = null;
  publishedAt = 0;
  takenFrom: string | null = null;
  takenAt = 0;
  /** When it was last asked for, as far as this process knows. */
  lastAskedAt = 0;
  /** When this process was last asked for it. */
  askedHereAt = 0;
  /** Whether it was asked for of late: then it has an owner. */
  isCurrent = false;
  /** Whether it is in the list that other servers see. */
  isListed = false;
  /** What determines its owner. */
  ownerClass: OwnerClass | undefined = undefined;
  /** Name of its owner, as acted upon; undefined: there is none yet. */
  owner: string | undefined = undefined;
  /** Whether this server is its owner. */
  isOurs = false;
  /** The last answer, which holds until then. Whatever changes the feed takes it back. */
  answer: WaitingTurn | undefined = undefined;
  answerUntil = 0;

  /** Makes it from its row. */
  constructor(row: TurnRow, index: number) {
    this.url = row.url;
    this.feed = row.feed;
    this.host = row.host;
    this.domain = row.domain;
    this.domainName = row.domainName;
    this.phase = (seedOfHash(row.feed).low >>> 0) / 2 ** 32;
    this.index = index;
    this.read(row);
  }

  /** Takes over what another process, or a publication, has changed. */
  read(row: TurnRow): void {
    this.addedAt = row.addedAt;
    this.askedAt = row.askedAt;
    this.everyMs = row.everyMs;
    this.checkedAt = row.checkedAt;
    this.notBefore = row.notBefore;
    this.failures = row.failures;
    this.ttlMs = row.ttlMs;
    this.leasedUntil = row.leasedUntil;
    this.etag = row.etag;
    this.lastModified = row.lastModified;
    this.contentHash = row.contentHash;
    this.isOwnContent = row.isOwnContent;
    this.publishedHash = row.publishedHash;
    this.publishedAt = row.publishedAt;
    this.takenFrom = row.takenFrom;
    this.takenAt = row.takenAt;
    this.answer = undefined;
  }

  /** Replaces the validators; without a hash of their content there are none. */
  setValidators(
    { etag, lastModified }: Validators,
    { hash, isOwn }: { readonly hash: string | null; readonly isOwn: boolean },
  ): void {
    const isKept = hash !== null && (etag !== undefined || lastModified !== undefined);
    this.etag = isKept ? etag ?? null : null;
    this.lastModified = isKept ? lastModified ?? null : null;
    this.contentHash = isKept ? hash : null;
    this.isOwnContent = isKept && isOwn ? 1 : 0;
  }
}
