import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { State } from "../../lib/state/state.ts";

/** Everything in a state database: rows by table. */
export type Image = readonly (readonly Row[])[];
const KEEPING_FORMAT = " WHERE key <> 'format'";
type Row = Readonly<Record<string, SQLOutputValue>>;

/**
 * A database in memory that outlives the connections to it. Making the schema takes most of the
 * time of opening a new state, so media are wiped and used again by later runs.
 */
export class Medium {
  static #made = 0;
  static readonly #free: Medium[] = [];
  /** What SQLite opens it by. */
  readonly path: string;
  readonly #db: DatabaseSync;
  /** The format of its tables, which stay when it is wiped. */
  readonly #format: SQLOutputValue;
  readonly #tables: { read: StatementSync; wipe: StatementSync; write: StatementSync }[];

  /** An empty medium. */
  static take(): Medium {
    return this.#free.pop() ?? new Medium(`file:sim-${Medium.#made++}?mode=memory&cache=shared`);
  }

  private constructor(path: string) {
    this.path = path;
    this.#db = new DatabaseSync(path);
    const random = { uuid: () => "", token: () => "aaaaaaaa", fraction: () => 0 };
    new State(path, { server: "none", store: "none" }, random)[Symbol.dispose]();
    this.#format = this.#db.prepare("SELECT value FROM meta WHERE key = 'format'").get()!.value;
    this.#tables = this.#tableNames().map((table) => this.#statements(table));
    this.write([]);
  }

  /** Wiped, and free for others. */
  release(): void {
    this.write([]);
    Medium.#free.push(this);
  }

  /** What it holds. */
  read(): Image {
    return this.#tables.map(({ read }) => read.all());
  }

  /** Replaces all that it holds; no state may be open on it. */
  write(image: Image): void {
    this.#db.exec("BEGIN");
    for (const [index, { wipe, write }] of this.#tables.entries()) {
      wipe.run();
      for (const row of image[index] ?? []) write.run(...Object.values(row));
    }
    this.#db.prepare("INSERT OR IGNORE INTO meta VALUES ('format', ?)").run(this.#format);
    this.#db.exec("COMMIT");
  }

  /** `sqlite_sequence` comes last: writing the outbox changes it. */
  #tableNames(): string[] {
    const sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    return this.#db.prepare(sql).all().map(({ name }) => String(name));
  }

  #statements(table: string) {
    const columns = this.#db.prepare(`PRAGMA table_info(${table})`).all().length;
    return {
      read: this.#db.prepare(`SELECT * FROM ${table}`),
      // The tables stay, and so does what tells of which format they are.
      wipe: this.#db.prepare(`DELETE FROM ${table}` + (table === "meta" ? KEEPING_FORMAT : "")),
      write: this.#db.prepare(
        `INSERT OR REPLACE INTO ${table} VALUES (${Array(columns).fill("?")})`,
      ),
    };
  }
}
