import assert from "node:assert/strict";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { StateError } from "../../lib/errors.ts";
import type { Row } from "../../lib/log/positions.ts";
import type { Owner } from "../../lib/state/owner.ts";
import { State } from "../../lib/state/state.ts";

const STORE = "s3://bucket/prefix", SERVICE = "us-east-1.linodeobjects.com";

/** A state file that is removed at the end of the test. */
class StateFile implements Disposable {
  readonly directory = Deno.makeTempDirSync();

  open(owner: Omit<Owner, "server">): State {
    const path = `${this.directory}/web-1.db`;
    return new State(path, { server: "web-1", ...owner }, systemEnvironment.random);
  }

  /** Uses it with a store that answers. */
  use(owner: Omit<Owner, "server">): void {
    using state = this.open(owner);
    state.noteClockOffset(0);
  }

  assertRefused(owner: Omit<Owner, "server">, message: RegExp): void {
    assert.throws(() => this.use(owner), (error) => {
      assert.ok(error instanceof StateError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("a state belongs to the service that has the bucket", () => {
  using file = new StateFile();
  file.use({ store: STORE, service: SERVICE });
  file.use({ store: STORE, service: SERVICE });
  file.assertRefused(
    { store: STORE, service: "minio:9000" },
    /for s3:\/\/bucket\/prefix at minio:9000: it belongs to us-east-1\.linodeobjects\.com; choose/,
  );
  file.use({ store: STORE, service: SERVICE });
});

Deno.test("a state that knows no service belongs to the first one it is used with", () => {
  using file = new StateFile();
  file.use({ store: STORE });
  file.use({ store: STORE, service: SERVICE });
  file.assertRefused({ store: STORE, service: "minio:9000" }, /it belongs to us-east-1/);
  file.use({ store: STORE }); // As commands do that need no store.
  file.assertRefused({ store: STORE, service: "minio:9000" }, /it belongs to us-east-1/);
});

Deno.test("a state belongs to no service before one has answered", () => {
  using file = new StateFile();
  file.open({ store: STORE, service: "misspelt" })[Symbol.dispose]();
  file.use({ store: STORE, service: SERVICE });
  file.assertRefused({ store: STORE, service: "misspelt" }, /it belongs to us-east-1/);
});

Deno.test("a state belongs to no store before one was reached, such as a mistyped bucket", () => {
  using file = new StateFile();
  file.open({ store: "s3://bukcet/prefix", service: SERVICE })[Symbol.dispose]();
  file.use({ store: STORE, service: SERVICE });
  file.assertRefused(
    { store: "s3://bukcet/prefix", service: SERVICE },
    /it belongs to s3:\/\/buck/,
  );
});

Deno.test("a state that has uploaded has reached its store, even if that has told no time", () => {
  using file = new StateFile();
  {
    using state = file.open({ store: STORE, service: SERVICE });
    state.ownStream.save({ uploadedRow: state.ownStream.load().uploadedRow + 1 as Row });
  }
  file.assertRefused({ store: "s3://other", service: SERVICE }, /it belongs to s3:\/\/bucket/);
});

Deno.test("a state is taken over where the store was moved from", () => {
  using file = new StateFile();
  const moved = { store: STORE, service: "minio:9000", movedFrom: `https://${SERVICE}/` };
  file.use({ store: STORE, service: SERVICE });
  file.assertRefused({ ...moved, movedFrom: "https://elsewhere" }, /set 'movedFrom' to "us-east-1/);
  file.use(moved);
  file.use({ store: STORE, service: "minio:9000" });
  file.assertRefused({ store: STORE, service: SERVICE }, /it belongs to minio:9000/);
  const renamed = { store: "s3://new", service: "r2", movedFrom: STORE };
  file.assertRefused({ ...renamed, movedFrom: "s3://other" }, /set 'movedFrom' to "s3:\/\/bucket/);
  file.use(renamed);
  file.assertRefused({ store: STORE, service: "minio:9000" }, /it belongs to s3:\/\/new/);
});

Deno.test("a directory that is reached by another path is the same store", async () => {
  using file = new StateFile();
  const [path, link, other] = ["store", "link", "other"].map((name) => `${file.directory}/${name}`);
  await Deno.mkdir(path);
  await Deno.mkdir(other);
  await Deno.symlink(path, link);
  file.use({ store: `file:${path}` });
  file.use({ store: `file:${link}` });
  file.assertRefused({ store: `file:${other}` }, /for the store file:.*other: it belongs to file:/);
  file.use({ store: `file:${other}`, movedFrom: `file:${link}` });
});
