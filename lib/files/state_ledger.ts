/**
 * The state as the memory of feed files.
 *
 * @module
 */
import { join, sep } from "node:path";
import type { Parts } from "../connection.ts";
import type { FeedUrlOptions } from "../feed_url.ts";
import { accept, prepareUpdate } from "../publishing/accept.ts";
import type { KnownFiles } from "./known_files.ts";
import type { FileLedger, SeenFile } from "./ledger.ts";

/** After a crash of the machine files are only looked at again. */
const UNSYNCED = { durable: false };

/** Directories are remembered by their paths; this is the one of none. */
function mirrorOf(directory: string): string {
  return `mirror:${directory}`;
}

/** What the state knows of feed files, for whoever writes over them. */
export function knownFiles({ state }: Pick<Parts, "state">): KnownFiles {
  const { files, newest } = state;
  // It cannot change any more, and looking takes long.
  const former = new Map<string, boolean>();
  return {
    get clockOffset() {
      return state.clockOffset;
    },
    get(path): SeenFile | undefined {
      const hash = files.get(path);
      if (hash === undefined) return undefined;
      const { url, leftHash = null, publishedAt = 0, removedAt = 0 } = files.feed(path) ?? {};
      const isLeft = hash !== null && hash === leftHash;
      return { hash, url, isLeft, publishedAt: Math.max(publishedAt, removedAt) };
    },
    newest: (url) => newest.get(url),
    seenIn: (directory) => files.existing(join(directory, sep)),
    identityOf: (directory) => files.scanned(directory) ?? undefined,
    mirrored: (directory) => files.scanned(mirrorOf(directory)) ?? undefined,
    noteMirrored: (directory, identity) =>
      state.transaction(() => files.noteScanned(mirrorOf(directory), identity), UNSYNCED),
    // The states of 0.1 tell by what was seen in it.
    isScanned: (directory) =>
      files.scanned(directory) !== undefined ||
      former.getOrInsertComputed(directory, () => files.hasFormer(join(directory, sep))),
  };
}

/** What was seen in files, and what is published of them, in the state; `options`: which URLs are accepted. */
export function ledgerOf(parts: Parts, options?: FeedUrlOptions): FileLedger {
  const { state, uploader } = parts, { files } = state;
  const known = knownFiles({ state });
  return {
    get clockOffset() {
      return known.clockOffset;
    },
    get: known.get,
    isScanned: known.isScanned,
    seenIn: known.seenIn,
    mirrored: known.mirrored,
    noteMirrored: known.noteMirrored,
    removedSince: (directory, time) => files.removedSince(join(directory, sep), time),
    newest: known.newest,
    note: (path, { url, hash, isLeft = false }) =>
      state.transaction(() => {
        files.note(path, hash);
        if (url !== undefined) files.noteFeed(path, { url, leftHash: isLeft ? hash : null });
      }, UNSYNCED),
    identityOf: known.identityOf,
    noteScanned: (directory, identity) =>
      state.transaction(() => files.noteScanned(directory, identity), UNSYNCED),
    publish(path, hash, update, { isNoted = true } = {}) {
      const prepared = prepareUpdate(update, options);
      state.transaction(() => {
        const leftHash = isNoted ? null : files.feed(path)?.leftHash ?? null;
        files.note(path, isNoted ? hash : files.get(path) ?? null);
        const { url, time } = accept(parts, prepared);
        const at = hash === null ? { removedAt: time } : { publishedAt: time };
        files.noteFeed(path, { url, leftHash, ...at });
      });
      uploader.start();
    },
  };
}
