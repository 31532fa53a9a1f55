/**
 * The least that publishing takes: encode, insert into a database and sync it, compress, one PUT for
 * all updates of a group.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { constants, zstdCompressSync } from "node:zlib";
import type { UpdateInput } from "@feedsync/feedsync";
import type { BareStore } from "./store.ts";

/** A program that only publishes. */
export interface BarePublisher extends Disposable {
  /** Publishes updates as one object; resolves when they are in the store, and synced. */
  publish(updates: readonly UpdateInput[]): Promise<void>;
}

/** Publishes to `store`, with its outbox in the file `path`. */
export function barePublisher(store: BareStore, path: string): BarePublisher {
  const db = new DatabaseSync(path);
  db.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
     CREATE TABLE outbox (row INTEGER PRIMARY KEY, line TEXT NOT NULL)`,
  );
  const insert = db.prepare("INSERT INTO outbox (line) VALUES (?)");
  const log = Deno.openSync(`${path}-wal`, { write: true });
  let groups = 0;
  return {
    async publish(updates) {
      const lines = updates.map((update) => JSON.stringify(update));
      db.exec("BEGIN IMMEDIATE");
      for (const line of lines) insert.run(line);
      db.exec("COMMIT");
      const body = zstdCompressSync(lines.join("\n"), {
        params: { [constants.ZSTD_c_compressionLevel]: 1 },
      });
      await Promise.all([log.syncData(), store.put(`groups/${++groups}`, body)]);
    },
    [Symbol.dispose]() {
      log.close();
      db.close();
    },
  };
}
