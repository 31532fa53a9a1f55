import type { WorldName } from "./campaign.ts";
import type { Focus } from "./mix.ts";

/** A change of the code that breaks one rule. */
export interface Mutant {
  readonly name: string;
  /** Where it must show. */
  readonly world: WorldName;
  readonly edits: readonly Edit[];
  /** What has to happen for it to show; it is hunted with more of that. */
  readonly focus: readonly string[];
}

/** Text that is replaced in a file; it must be there exactly once. */
export interface Edit {
  /** Below `lib`. */
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

const SEAL = "publishing/seal.ts";
const DETECT = "publishing/forks/detect.ts";
const NEW_STREAM = "publishing/new_stream.ts";
const REPUBLISH = "publishing/forks/republish.ts";
const UPLOADER = "publishing/uploader.ts";
const DELIVERY = "reading/delivery.ts";
const DELIVERY_RUN = "reading/delivery_run.ts";
const PIPELINE = "base/pipeline.ts";
const STREAM_READER = "reading/stream_reader.ts";
const GAP_PROOF = "reading/gap_proof.ts";
const EXPIRE_STREAM = "retention/expire_stream.ts";
const CARRY = "retention/carry.ts";
const SWEEP = "retention/sweep.ts";
const POLLER = "reading/poller.ts";
const INBOX = "state/inbox.ts";

/**
 * One for each rule that the promises of the log rest on. Servers meet one of them too seldom: that a
 * new state waits for what was merged a moment ago is shown by `reading/absence_test.ts`.
 */
export const MUTANTS: readonly Mutant[] = [
  mutant(
    "the newest commit is sealed",
    edit(SEAL, "commit.last >= newest || commit.last <= last", "commit.last <= last"),
  ),
  mutant(
    "sealing goes backwards",
    edit(
      SEAL,
      "let { closedSeq: before, sealedSeq: last,",
      "let { closedSeq: before, closedSeq: last,",
    ),
    edit(SEAL, "if (last > stream.sealedSeq) plans", "if (last > before) plans"),
    edit("state/own_stream.ts", "FROM commits, publisher WHERE last > sealed", "FROM commits"),
  ),
  mutant(
    "commits are deleted before their segment is stored",
    edit(
      SEAL,
      "    await putRows(context, name, options);",
      `    const covered = ownStream.commits().filter((commit) => commit.last <= plan.last);
    await context.log.delete(covered.map(({ key }) => key), options);
    await putRows(context, name, options);`,
    ),
  ),
  mutant(
    "rows are dropped before their segment is closed",
    edit(SEAL, "dropOutbox(rowOf(closedSeq, base))", "dropOutbox(rowOf(plan.last, base))"),
  ),
  mutant(
    "a segment is made of commits that are kept, of whatever stream they are",
    edit("publishing/kept_commits.ts", "= name.stream === stream && name.first", "= name.first"),
  ),
  mutant(
    "rows are dropped at a restart",
    edit(
      UPLOADER,
      "    this.#context = { ...this.#parts,",
      `    const { ownStream, outbox } = this.#parts.state;
    ownStream.save({ uploadedRow: outbox.lastRow() });
    this.#context = { ...this.#parts,`,
    ),
  ),
  mutant(
    "a row counts as uploaded before its commit is stored",
    edit(
      UPLOADER,
      "    const stored = await putCommit(context, commit, { signal });",
      `    ownStream.save({ uploadedRow: commit.rows.at(-1)!.row });
    const stored = await putCommit(context, commit, { signal });`,
    ),
  ),
  mutant(
    "an update is accepted without being synced",
    edit(
      "publishing/accept.ts",
      "needsSync ? state.sync() : Promise.resolve()",
      "Promise.resolve()",
    ),
  ),
  mutant(
    "an own seq is used again after a restore",
    edit(
      DETECT,
      "if (different) return different.seq;",
      "if (different && different.seq <= uploadedRow - base) return different.seq;",
    ),
  ),
  mutant(
    "nobody looks for forks",
    edit(
      DETECT,
      "return unknown.filter((commit) =>\n",
      "if (Infinity) return [];\n  return unknown.filter((commit) =>\n",
    ),
  ),
  mutant(
    "a fork is compared in the tail only",
    edit(REPUBLISH, "return [...tail, ...segments];", "return tail;"),
    edit(REPUBLISH, `const segments = await log.listStream("segments", stream, options);`, ""),
  ),
  rareMutant(
    "a fork is compared beyond the last closed segment only",
    ["backUp", "restore", "clone", "largeContents"],
    edit(DETECT, "if (below.length > 0) {", "if (below.length > Infinity) {"),
  ),
  mutant(
    "conflicting seqs are left as they are",
    edit(
      "publishing/forks/schedule.ts",
      "stored.push(...await republishFormer(context, [...tail.former, ...tail.commits], options));",
      "",
    ),
  ),
  rareMutant(
    "a stream is continued although its newest commit has expired",
    ["backUp", "restore", "away", "cleanup"],
    edit(DETECT, "return reachOf(commits) < seqOf(uploadedRow, base);", "return false;"),
  ),
  rareMutant(
    "what is queued stays behind when a server gets another name",
    ["rename", "outage"],
    edit(
      NEW_STREAM,
      "plus(state.ownStream.load().uploadedRow, 1), server",
      "plus(state.outbox.lastRow(), 1), server",
    ),
  ),
  mutant(
    "an unknown key is trusted without its body",
    edit(DETECT, "if (different) return different.seq;", ""),
  ),
  mutant(
    "what was published again after a fork is applied here, too, and what was not is skipped",
    edit(DELIVERY_RUN, "republished.has(seq)", "republished.size > 0"),
  ),
  mutant(
    "the cursor moves before the plugins have had the updates",
    edit(
      DELIVERY_RUN,
      "    for (const update of updates) {\n      if (",
      `    this.#finished = updates.at(-1)!.seq;
    this.#store();
    for (const update of updates) {
      if (`,
    ),
  ),
  mutant(
    "the cursor moves behind what is finished, not behind the oldest that is not",
    edit(
      PIPELINE,
      `if (status === "rejected") return;`,
      `if (status === "rejected") {
        this.#underWay.shift();
        continue;
      }`,
    ),
  ),
  mutant(
    "a plugin that takes one update at a time is called for several",
    edit(
      "reading/receivers.ts",
      "const earlier = handover.before?.(caller.concurrency);",
      "const earlier = undefined as Promise<unknown> | undefined;",
    ),
  ),
  mutant(
    "old content overwrites new",
    edit(
      "reading/receivers.ts",
      "superseded = known ??\n      this.#state.newest.supersedes(url, Date.parse(time), id);",
      "superseded = known && false;",
    ),
  ),
  mutant(
    "what was applied again is not known to be superseded",
    edit(
      "reading/redelivery.ts",
      "superseded: newest.supersedes(url, Date.parse(time), id) }",
      "superseded: newest.supersedes(url, 8e15, id) }",
    ),
  ),
  mutant(
    "a dead letter is forgotten when it cannot be applied again",
    edit(
      "reading/redelivery.ts",
      "this.#state.deadLetters.postpone(id, message, retryAt)",
      "this.#state.deadLetters.drop(id, message, retryAt)",
    ),
  ),
  mutant(
    "a dead letter is tried again while its URL is busy",
    edit(
      "reading/redelivery.ts",
      "this.#feedLocks.isHeld(feedIdentity(letter.url))",
      "!letter.url",
    ),
  ),
  mutant(
    "an update is passed over while the backend is away",
    edit(
      "reading/plugin_caller.ts",
      `if (kind === "rejected") return`,
      `if (kind === "unavailable") return undefined;\n      if (kind === "rejected") return`,
    ),
  ),
  mutant(
    "a gap is reported without a second look",
    edit(GAP_PROOF, "HOLE_LISTINGS = 5, HOLE_MS = 4000", "HOLE_LISTINGS = 1, HOLE_MS = 0"),
  ),
  mutant(
    "an object that is gone is taken for a gap",
    edit(
      STREAM_READER,
      "    this.#noteSeen(name);\n    if (!isFirst)",
      `    this.#noteSeen(name);
    this.#unreadable.forgetAbsent();
    this.#proof.prove();
    this.#names = this.#names.filter(({ key }) => key !== name.key);
    if (isFirst || !isFirst)`,
    ),
    edit(
      GAP_PROOF,
      "  /** Starts again",
      `  prove(): void {
    [this.#listings, this.#since] = [HOLE_LISTINGS, -Infinity];
    [this.#absences, this.#absentSince] = [VANISHED_LISTINGS, -Infinity];
  }

  /** Starts again`,
    ),
  ),
  mutant(
    "a GET that finds nothing is taken for absence",
    edit(
      STREAM_READER,
      "this.#names = [...commits, ...segments];",
      "this.#names = [...commits, ...segments].filter((name) => !this.#unreadable.hasMissed(name));",
    ),
    edit(
      "reading/unreadable_objects.ts",
      "  /** Called after a new listing",
      `  hasMissed({ key }: ObjectName): boolean {
    return this.#missed.has(key);
  }

  /** Called after a new listing`,
    ),
  ),
  mutant(
    "a listing that starts behind the cursor is taken for one of all",
    edit(
      STREAM_READER,
      'this.#setNames(commits, await this.#listKind("segments"));',
      'this.#setNames(commits, await this.#listKind("segments", state.cursors.get(this.#stream)));',
    ),
  ),
  mutant(
    "segments are listed before the tail",
    edit(
      STREAM_READER,
      '    const commits = await this.#listKind("tail");\n',
      `    const segments = await this.#listKind("segments");
    const commits = await this.#listKind("tail");\n`,
    ),
    edit(
      STREAM_READER,
      'this.#setNames(commits, await this.#listKind("segments"));',
      "this.#setNames(commits, segments);",
    ),
    edit(GAP_PROOF, "HOLE_LISTINGS = 5, HOLE_MS = 4000", "HOLE_LISTINGS = 1, HOLE_MS = 0"),
  ),
  mutant(
    "a late commit is taken for the start of a stream",
    edit(
      "reading/poller.ts",
      "    const news = [...streams].map(([stream, commits]) => {",
      `    const news = [...streams].map(([stream, commits]) => {
      state.cursors.enter(stream, Math.min(...commits.map(({ first }) => first)) - 1);`,
    ),
  ),
  rareMutant(
    "a new state enters a stream at its newest commit",
    ["newServer", "cleanup", "away"],
    edit(
      "reading/enter.ts",
      "newest ? contiguousStart(names, newest) - 1 : 0",
      "newest ? newest.first - 1 : 0",
    ),
    edit("reading/enter.ts", "import { contiguousStart } from", "import {} from"),
  ),
  rareMutant(
    "a new state is content with one listing",
    ["newServer"],
    edit(
      "reading/enter.ts",
      `  await list("tail");
  // What was merged before that listing is in a segment which another one may not show yet.
  await sleep(clock, MAX_LISTING_LAG_MS, signal);
  await list("segments");`,
      "",
    ),
  ),
  rareMutant(
    "a cursor is forgotten although more of its stream may have come and gone",
    ["away", "cleanup", "publish"],
    edit("state/forgetting.ts", "const MEMORY_LIVES = 4;", "const MEMORY_LIVES = 0;"),
    edit(
      "state/forgetting.ts",
      "const AWAY_MEMORY_MS = 365 * DAY_MS;",
      "const AWAY_MEMORY_MS = 0;",
    ),
    edit("state/forgetting.ts", "Math.min(HOUR_MS, lifeOf(retentionMs) / 4)", "0"),
  ),
  mutant(
    "a hole is proven by listings that do not agree",
    edit(GAP_PROOF, "if (!wasSeen) return true;", "if (wasSeen || !wasSeen) return true;"),
  ),
  mutant(
    "cleanup leaves holes",
    edit(
      "retention/expiry.ts",
      "return young === -1 ? sorted : sorted.slice(0, young);",
      "return sorted.filter(({ lastModified }) => now - lastModified > maxAge && young > -2);",
    ),
  ),
  rareMutant(
    "cleanup does not wait for what its server cannot read",
    ["loseKey", "cleanup"],
    edit(
      EXPIRE_STREAM,
      'content.kind === "locked" && isGivenUp(name, context)',
      'content.kind === "locked"',
    ),
  ),
  mutant(
    "cleanup deletes what was not carried",
    edit(EXPIRE_STREAM, "    await carrier.carry(batch.going);", "    batch.going.newest;"),
  ),
  rareMutant(
    "cleanup deletes although it could not carry",
    ["cleanup", "away"],
    edit("retention/carry.ts", "if (!(error instanceof CorruptObjectError)) throw error;", ""),
  ),
  rareMutant(
    "cleanup deletes what a GET does not find",
    ["cleanup"],
    edit(EXPIRE_STREAM, "return { ...batch, obstacle: content };", "content;"),
  ),
  rareMutant(
    "sweeping keeps the least of a group",
    ["cleanup"],
    edit(
      "retention/sweep.ts",
      "compareNewest(name, greatest) < 0",
      "compareNewest(name, greatest) >= 0",
    ),
  ),
  rareMutant(
    "cleanup deletes before it carries",
    ["allAway"],
    edit(
      EXPIRE_STREAM,
      "    await carrier.carry(batch.going);",
      `    await log.delete(batch.names.map(({ key }) => key), { signal });
    await carrier.carry(batch.going);`,
    ),
  ),
  rareMutant(
    "what is remembered proves that something newer is there",
    ["allAway", "strangeCommit", "cleanUpOnly"],
    edit(
      CARRY,
      "isNewer(row, order) && remaining.holds(row)",
      "isNewer(row, order) && remaining !== undefined",
    ),
  ),
  rareMutant(
    "a time that nobody can have meant is carried",
    ["allAway", "strangeCommit"],
    edit(
      CARRY,
      "if (!isPlausible(Date.parse(update.time), lastModified)) continue;",
      "if (lastModified < 0) continue;",
    ),
  ),
  rareMutant(
    "of a feed what was read last is carried, not what is newest",
    ["allAway", "publishMany"],
    edit(CARRY, "if (!known || isNewer(orderOf(update), orderOf(known))) this", "this"),
  ),
  rareMutant(
    "sweeping trusts a key that it has not read",
    ["allAway", "forgeNewest", "cleanup"],
    edit(SWEEP, "if (written.has(name.key)) return true;", "if (written) return true;"),
  ),
  rareMutant(
    "sweeping counts what is days ahead",
    ["allAway", "forgeNewest", "cleanup"],
    edit(
      "log/newest/names.ts",
      "if (!hasPlausibleTime(name, now)) continue;",
      "",
    ),
  ),
  rareMutant(
    "sweeping goes by what is known",
    ["allAway", "strangeCommit", "cleanUpOnly", "cleanup"],
    edit(
      "retention/clean_up.ts",
      "new Sweeper(log, { now, written, dryRun, signal })",
      "new Sweeper(log, { now, written, dryRun, signal, known })",
    ),
    edit(
      "retention/clean_up.ts",
      "  { log, now, sweepAll = false, dryRun, signal }: Context,",
      "  { log, now, sweepAll = false, dryRun, signal, known }: Context,",
    ),
    edit(
      SWEEP,
      "    const lesser = names.filter((name) => compareNewest(name, greatest) < 0);",
      `    const update = await this.#log.newest.read(greatest).catch(() => undefined);
    const row = update && this.#options.known(update.url);
    const newest = row && compareNewest(greatest, row) < 0 ? row : greatest;
    const lesser = names.filter((name) => compareNewest(name, newest) < 0);`,
    ),
  ),
  rareMutant(
    "tombstones expire",
    ["allAway", "cleanup"],
    edit(
      SWEEP,
      "    const lesser = names.filter((name) => compareNewest(name, greatest) < 0);",
      `    const isOld = this.#options.now - greatest.lastModified > 1000;
    const lesser = names.filter((name) =>
      compareNewest(name, greatest) < 0 || isOld && name.isRemoved
    );`,
    ),
  ),
  rareMutant(
    "a new state does not restore",
    ["allAway", "join"],
    edit("reading/enter.ts", "if (!state.isInMemory) state.restoring.require();", ""),
    edit(
      POLLER,
      "unseenMs > MAX_UNSEEN_MS && !state.isInMemory",
      'unseenMs > MAX_UNSEEN_MS && state.fact("listedAt") !== undefined',
    ),
  ),
  rareMutant(
    "a gap is no reason to restore",
    ["pluginDown", "loseKey", "cleanup"],
    edit(DELIVERY, "if (!this.#state.isInMemory) this.#state.restoring.require();", ""),
  ),
  rareMutant(
    "the end of a stream that is gone is no reason to restore",
    ["away", "allAway", "cleanup"],
    edit(
      DELIVERY,
      "this.#noteMissed(gap);\n      this.#state.cursors.giveUp(gap.stream);",
      "this.#state.cursors.giveUp(gap.stream);",
    ),
  ),
  rareMutant(
    "an absence is no reason to restore",
    ["away", "allAway", "join", "strangeCommit"],
    edit(POLLER, "if (unseenMs > MAX_UNSEEN_MS && !state.isInMemory)", "if (unseenMs < 0)"),
  ),
  rareMutant(
    "what was noted counts as had",
    ["away", "allAway", "crash", "pluginDown", "cleanup"],
    edit(
      "state/places.ts",
      "const IS_DELIVERED = `(coalesce(",
      "const IS_DELIVERED = `(1 OR coalesce(",
    ),
  ),
  rareMutant(
    "what is read counts as missing until a listing shows it",
    ["join", "allAway", "pluginDown"],
    edit(
      "reading/intake.ts",
      "cursors.noteReach(stream, updates[updates.length - 1].seq);",
      "",
    ),
  ),
  rareMutant(
    "restoring ends although something could not be read",
    ["missed", "join", "allAway"],
    edit(
      "reading/restoring/restoration.ts",
      "if (obstacles.length === 0 || this.#isGivenUp(obstacles))",
      "if (obstacles.length >= 0 || this.#isGivenUp(obstacles))",
    ),
  ),
  rareMutant(
    "what is damaged hides what is kept behind it",
    ["forgeNewest", "join", "allAway"],
    edit(
      "reading/restoring/restorer.ts",
      "        if (!whyUnreadable(error)) throw error;\n        obstacles.push(error as Obstacle);",
      "        if (whyUnreadable(error)) return undefined;\n        throw error;",
    ),
  ),
  rareMutant(
    "whether an update is superseded is decided on entry",
    ["consumers"],
    edit(INBOX, "kind = 'update' AND ${IS_SUPERSEDED} AS superseded", "0 AS superseded"),
  ),
  rareMutant(
    "cursors of consumers have no epoch",
    ["consumers", "backUp", "restore", "powerLoss"],
    edit(
      "state/inbox_epochs.ts",
      "this.#own ??= this.#random.token();",
      'this.#own ??= "aaaaaaaa";',
    ),
  ),
  rareMutant(
    "an acknowledgement of another epoch is taken",
    ["consumers", "backUp", "restore", "powerLoss"],
    edit(
      "consumers/positions.ts",
      "const epoch = this.#epochOf(cursor);",
      "const { epoch } = cursor;",
    ),
  ),
  rareMutant(
    "the inbox is written after the transaction that moves the cursor",
    ["consumers", "crash"],
    edit("reading/intake.ts", "      takeIn();\n", ""),
    edit(
      "reading/intake.ts",
      "return { updates, republished, superseded };",
      "return { updates, republished, superseded, takeIn };",
    ),
    edit(
      DELIVERY_RUN,
      "const { updates, republished, superseded: seqs } = intake.take(this.#stream, stored);",
      "const taken = intake.take(this.#stream, stored);\n" +
        "    const { updates, republished, superseded: seqs } = taken;",
    ),
    edit(
      DELIVERY_RUN,
      "    if (this.#concurrency === 1) await this.finish();",
      "    await this.finish();\n    this.#context.state.transaction(() => taken.takeIn());",
    ),
  ),
  rareMutant(
    "what one consumer has acknowledged is dropped for all",
    ["consumers"],
    edit(
      "state/consumers.ts",
      "SELECT min(row) AS row FROM consumers",
      "SELECT max(row) AS row FROM consumers",
    ),
  ),
  rareMutant(
    "what falls out of the inbox unread is told to nobody",
    ["consumers", "smallInbox"],
    edit("state/inbox_upkeep.ts", "groups.length <= MAX_MARKS ? groups : [mergeAll(groups)]", "[]"),
  ),
  mutant(
    "cleanup goes by the local clock",
    edit(
      "retention/clean_up.ts",
      "return log.now();",
      "return log.now() - log.clockOffset;",
    ),
  ),
];

function mutant(name: string, ...edits: Edit[]): Mutant {
  return { name, world: "log", edits, focus: [] };
}

/** A mutant that shows only after what is named in `focus`. */
function rareMutant(name: string, focus: readonly Focus[], ...edits: Edit[]): Mutant {
  return { name, world: "log", edits, focus };
}

/** A change of one place. */
export function edit(file: string, search: string, replace: string): Edit {
  return { file, search, replace };
}
