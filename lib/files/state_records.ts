/**
 * The records of feed files, kept in the state.
 *
 * @module
 */
import { join, sep } from "node:path";
import type { Parts } from "../connection.ts";
import type { FeedUrlOptions } from "../feed_url.ts";
import { accept } from "../publishing/accept.ts";
import { prepareUpdate } from "../publishing/prepare.ts";
import type { FileRecords } from "./file_records.ts";
import type { KnownFile, KnownFiles } from "../known_files.ts";

/** If the machine crashes, files are only examined again. */
const UNSYNCED = { durable: false };

/** What the state knows of feed files, for whoever writes over them. */
export function knownFiles({ state }: Pick<Parts, "state">): KnownFiles {
  const { files, newest } = state;
  // Cached: it cannot change any more, and the query is slow.
  const former = new Map<string, boolean>();
  return {
    get clockOffset() {
      return state.clockOffset;
    },
    get(path): KnownFile | undefined {
      const hash = files.get(path);
      if (hash === undefined) return undefined;
      const { url, leftHash = null, publishedAt = 0, removedAt = 0 } = files.feed(path) ?? {};
      const isLeft = hash !== null && hash === leftHash;
      return { url, hash, isLeft, publishedAt: Math.max(publishedAt, removedAt) };
    },
    newest: (url) => newest.get(url),
    seenIn: (directory) => files.existing(join(directory, sep)),
    identityOf: (directory) => files.scanned(directory) ?? undefined,
    mirrored: (directory) => files.scanned(mirrorOf(directory)) ?? undefined,
    noteMirrored: (directory, identity) =>
      state.transaction(() => files.noteScanned(mirrorOf(directory), identity), UNSYNCED),
    // States of version 0.1 have files, but no scanned directories.
    isScanned: (directory) =>
      files.scanned(directory) !== undefined ||
      former.getOrInsertComputed(directory, () => files.hasFormer(join(directory, sep))),
  };
}

/** Scanned directories are recorded by their paths; no directory has this one. */
function mirrorOf(directory: string): string {
  return `mirror:${directory}`;
}

/** The records of a watcher of files; `options` says which URLs are accepted. */
export function fileRecords(parts: Parts, options?: FeedUrlOptions): FileRecords {
  const { state, uploader } = parts, { files } = state;
  const written: Omit<FileRecords, keyof KnownFiles> = {
    removedSince: (directory, time) => files.removedSince(join(directory, sep), time),
    note: (path, { url, hash, isLeft = false }) =>
      state.transaction(() => {
        files.note(path, hash);
        if (url !== undefined) files.noteFeed(path, { url, leftHash: isLeft ? hash : null });
      }, UNSYNCED),
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
  // Assigned, not spread: `clockOffset` is a getter, and changes.
  return Object.assign(knownFiles(parts), written);
}
