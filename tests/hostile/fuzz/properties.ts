/**
 * What must hold for whatever an attacker sends.
 *
 * @module
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import { checkConfig } from "../../../lib/config/check.ts";
import { resolveConfig } from "../../../lib/config/resolve.ts";
import { loadConfig } from "../../../lib/config/load.ts";
import { decodeBody } from "../../../lib/log/codec.ts";
import { decodeNewest, encodeNewest, type NewestUpdate } from "../../../lib/log/newest/body.ts";
import { newestName, parseNewestKey } from "../../../lib/log/newest/names.ts";
import { ConfigError, CorruptObjectError, UnsupportedFormatError } from "../../../lib/errors.ts";
import { isStream, type ObjectName, objectName, parseKey } from "../../../lib/log/names.ts";
import { printable } from "../../../lib/base/printable.ts";
import { isReadableFeedUrl } from "../../../lib/feed_url.ts";
import { hashOf, updateToJson } from "../../../lib/update.ts";
import { messageId } from "../../../lib/wake/message.ts";
import { commitsIn } from "../../../lib/wake/receive/s3_events.ts";
import { Signer } from "../../../lib/wake/signature.ts";
import { workspace } from "../../cli/feedsync.ts";
import { Ear, SECRET, STORE, TOKEN } from "../../wake/ear.ts";
import { bodyChange, changeBody, changeText, textChanges, trouble } from "./changes.ts";
import { bodyFor, newestNameFor, newestUpdate, smallName } from "./samples.ts";

/** A property, ready to be checked. */
export interface OpenProperty extends AsyncDisposable {
  /** It. */
  readonly property: fc.IAsyncProperty<unknown>;
}

/** A property, and what it needs while it is checked. */
export interface Property {
  /** What it is about. */
  readonly name: string;
  /** Which share of the time it gets. */
  readonly share: number;
  /** Prepares it. */
  open(): OpenProperty | Promise<OpenProperty>;
}

/** A property that is prepared; `end` frees what it needs. */
export function opened<T>(
  property: fc.IAsyncProperty<T>,
  end: () => PromiseLike<void> = () => Promise.resolve(),
): OpenProperty {
  return { property: property as fc.IAsyncProperty<unknown>, [Symbol.asyncDispose]: end };
}

/** Objects decode to what their names say, and that can be handled; or are corrupt. */
export const objects: Property = {
  name: "objects",
  share: 4,
  open: () =>
    opened(fc.asyncProperty(smallName, bodyChange, (name, change) => {
      checkObject(name, changeBody(bodyFor(name), change));
      return Promise.resolve();
    })),
};

function checkObject(name: ObjectName, body: Uint8Array): void {
  decodeOrRefuse(() => {
    const updates = decodeBody(name, body);
    assert.equal(updates.length, name.last - name.first + 1);
    for (const [index, update] of updates.entries()) {
      assert.equal(update.seq, name.first + index);
      checkUpdate({ ...update, stream: name.stream });
    }
  });
}

/** What is kept for good decodes to what its name says, and that can be handled; or is corrupt. */
export const newest: Property = {
  name: "newest updates",
  share: 2,
  open: () =>
    opened(fc.asyncProperty(newestUpdate, bodyChange, (update, change) => {
      const name = newestNameFor(update);
      const body = changeBody(encodeNewest(name, update), change);
      decodeOrRefuse(() => {
        const decoded = decodeNewest(name, body);
        const said = [decoded.id, Date.parse(decoded.time), decoded.removed === true];
        assert.deepEqual(said, [name.id, name.time, name.isRemoved]);
        assert.ok(isStream(decoded.stream) && decoded.seq >= 1);
        checkUpdate(decoded);
      });
      return Promise.resolve();
    })),
};

/** What cannot be decoded is refused, with an error that is made for that. */
function decodeOrRefuse(decode: () => void): void {
  try {
    decode();
  } catch (error) {
    const isTold = error instanceof CorruptObjectError || error instanceof UnsupportedFormatError;
    if (!isTold) throw error;
    assert.ok(error.message.length < 1_000);
  }
}

function checkUpdate(update: NewestUpdate): void {
  assert.ok(isReadableFeedUrl(update.url) && !Number.isNaN(Date.parse(update.time)));
  hashOf(update);
  const told = { ...update, server: "evil", superseded: false };
  const line = printable(JSON.stringify(updateToJson(told)));
  assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  JSON.parse(line);
}

/** A key is foreign, or exactly one that is written. */
export const keys: Property = {
  name: "keys",
  share: 1,
  open: () =>
    opened(fc.asyncProperty(anyKey, fc.array(keyChange, { maxLength: 3 }), (valid, changes) => {
      const key = changes.reduce((key, { at, with: other }) => {
        const place = at % (key.length + 1);
        return key.slice(0, place) + other + key.slice(place + (at % 2));
      }, valid);
      checkKey(key);
      return Promise.resolve();
    })),
};

const anyKey = fc.oneof(
  smallName.map(({ key }) => key),
  newestUpdate.map((update) => newestNameFor(update).key),
);

const keyChange = fc.record({
  at: fc.nat(),
  with: fc.oneof(fc.string({ unit: "binary", maxLength: 3 }), fc.constantFrom("0", "9", "..", "/")),
});

function checkKey(key: string): void {
  const parsed = parseKey(key), kept = parseNewestKey(key);
  assert.ok(!parsed || !kept);
  if (parsed) {
    assert.equal(objectName(parsed).key, key);
    assert.ok(parsed.first >= 1 && Number.isSafeInteger(parsed.last));
  }
  if (kept) assert.equal(newestName(kept).key, key);
  if (parsed || kept) assert.match(key, /^[a-z0-9/._-]+$/);
}

/** The listener answers everything that a member, or a stranger, sends, and what it hears is valid. */
export const messages: Property = {
  name: "messages",
  share: 3,
  open() {
    const ear = new Ear();
    const property = fc.asyncProperty(
      smallName,
      bodyChange,
      fc.constantFrom(SECRET, `whsec_${btoa("somebody else's secret, not ours")}`),
      fc.dictionary(
        fc.constantFrom("webhook-id", "webhook-timestamp", "webhook-signature"),
        fc.string({ unit: "grapheme-ascii" }),
        { maxKeys: 1 },
      ),
      async (name, change, secret, headers) => {
        const body = changeBody(bodyFor(name), change);
        const signed = new Signer(secret).sign(messageId(STORE, name.key), body, Date.now());
        const [status] = await ear.post({ body, headers: { ...signed, ...headers } });
        assert.ok([204, 400, 401, 409].includes(status), String(status));
        for (const { name, updates } of ear.heard.splice(0)) {
          assert.equal(updates?.length, name.last - name.first + 1);
        }
      },
    );
    return opened(property, () => ear[Symbol.asyncDispose]());
  },
};

/** Events of the bucket tell of commits of the store, or of nothing. */
export const events: Property = {
  name: "events",
  share: 2,
  open() {
    const ear = new Ear();
    const query = `?token=${encodeURIComponent(TOKEN)}`;
    const property = fc.asyncProperty(
      smallName,
      textChanges,
      fc.nat(3),
      async (name, changes, wrapped) => {
        const object = { key: encodeURIComponent(`prefix/${name.key}`), size: 1 };
        const record = {
          eventName: "s3:ObjectCreated:Put",
          s3: { bucket: { name: "bucket" }, object },
        };
        let event = changeText(JSON.stringify({ Records: [record, record] }), changes);
        for (let i = 0; i < wrapped; i++) {
          event = JSON.stringify({
            Type: "Notification",
            Message: event,
          });
        }
        for (const { key } of commitsIn(event, STORE) ?? []) {
          assert.equal(
            parseKey(key)?.kind,
            "tail",
          );
        }
        const status = await ear.wake(event, { query });
        assert.ok([204, 400].includes(status), String(status));
      },
    );
    return opened(property, () => ear[Symbol.asyncDispose]());
  },
};

const CONFIG = JSON.stringify(
  {
    server: "web-1",
    store: "s3://bucket/prefix",
    s3: { endpoint: "https://example.com", region: "us-east-1", forcePathStyle: true },
    poll: { min: "1s", max: "30s" },
    files: { directory: "feeds", settle: "200ms" },
    wake: {
      peers: ["http://web-2:7070"],
      secret: SECRET,
      queues: [{ sqs: "https://sqs.eu-west-1.amazonaws.com/1/web-1" }],
    },
    plugins: ["log", ["mirror", { directory: "feeds" }]],
    retention: false,
    logLevel: "warn",
  },
  null,
  1,
);

/** A configuration can be used, or is an error that says why. */
export const configurations: Property = {
  name: "configurations",
  share: 2,
  async open() {
    const home = await workspace();
    const property = fc.asyncProperty(
      textChanges,
      fc.dictionary(fc.constantFrom("FEEDSYNC_POLL", "FEEDSYNC_STORE", "FEEDSYNC_X"), trouble, {
        maxKeys: 1,
      }),
      async (changes, env) => {
        await Deno.writeTextFile(`${home.path}/feedsync.json`, changeText(CONFIG, changes));
        try {
          const { config, directory } = await loadConfig({ cwd: home.path, env });
          checkConfig(config);
          resolveConfig(config, { directory });
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          assert.doesNotMatch(error.message, new RegExp(SECRET.slice(6, 20)));
        }
      },
    );
    return opened(property, () => home[Symbol.asyncDispose]());
  },
};
