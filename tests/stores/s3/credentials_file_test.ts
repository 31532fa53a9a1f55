import assert from "node:assert/strict";
import { join } from "node:path";
import { AccessDeniedError } from "../../../lib/errors.ts";
import { openS3Store } from "../../../lib/stores/s3/s3_store.ts";
import type { ObjectStore } from "../../../lib/stores/store.ts";
import { workspace } from "../../cli/feedsync.ts";
import { bytes } from "../contract.ts";
import { type SignedBucket, signedBucket } from "../credential_services.ts";
import { sdkEnvironment } from "../sdk_environment.ts";

/** A store with a credentials file. */
class Setting implements AsyncDisposable {
  readonly bucket: SignedBucket;
  readonly file: string;
  readonly store: ObjectStore;
  readonly #resources: AsyncDisposable;

  private constructor(
    bucket: SignedBucket,
    file: string,
    store: ObjectStore,
    all: AsyncDisposable,
  ) {
    [this.bucket, this.file, this.store, this.#resources] = [bucket, file, store, all];
  }

  static async make({ profile }: { profile?: string } = {}): Promise<Setting> {
    await using stack = new AsyncDisposableStack();
    stack.use(sdkEnvironment());
    const bucket = stack.use(signedBucket());
    const { path } = stack.use(await workspace());
    const credentialsFile = join(path, "credentials");
    const { endpoint } = bucket;
    const store = stack.use(
      await openS3Store({ endpoint, profile, credentialsFile, bucket: "feed-sync" }),
    );
    return new Setting(bucket, credentialsFile, store, stack.move());
  }

  write(text: string): Promise<void> {
    return Deno.writeTextFile(this.file, text);
  }

  /** Who the next request comes from. */
  async sender(): Promise<string> {
    await this.store.put("tail/a", bytes("x"));
    return this.bucket.seen.at(-1)!;
  }

  /** What the next request is denied with. */
  async denial(): Promise<string> {
    const error = await this.store.put("tail/a", bytes("x")).then(
      () => undefined,
      (error) => error,
    );
    assert.ok(error instanceof AccessDeniedError, String(error));
    return error.message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }
}

function json(keys: Record<string, unknown>): string {
  return JSON.stringify({ Version: 1, SecretAccessKey: "very-secret", ...keys });
}

function profiles(keys: Record<string, string>): string {
  return Object.entries(keys)
    .map(([name, key]) =>
      `[${name}]\naws_access_key_id = ${key}\naws_secret_access_key = very-secret\n`
    )
    .join("\n");
}

Deno.test("a credentials file may have profiles, as the shared one of AWS", async () => {
  const text = profiles({ default: "mine", other: "others" });
  for (const [profile, expected] of [[undefined, "mine"], ["other", "others"]]) {
    await using setting = await Setting.make({ profile });
    await setting.write(text);
    assert.equal(await setting.sender(), expected);
  }
});

Deno.test("a credentials file may hold what a credential_process prints", async () => {
  await using setting = await Setting.make();
  await setting.write(json({ AccessKeyId: "mine", SessionToken: "token" }));
  assert.equal(await setting.sender(), "mine token");
});

Deno.test("a credentials file is read again when it has changed, in whatever form", async () => {
  await using setting = await Setting.make();
  await setting.write(profiles({ default: "first" }));
  assert.equal(await setting.sender(), "first");
  await setting.write(json({ AccessKeyId: "second", SessionToken: "token" }));
  assert.equal(await setting.sender(), "second token");
  await Deno.remove(setting.file);
  const target = `${setting.file}.new`;
  await Deno.writeTextFile(target, profiles({ default: "linked" }));
  await Deno.symlink(target, setting.file);
  assert.equal(await setting.sender(), "linked");
});

Deno.test("a credentials file that is being written does no harm while there are others", async () => {
  await using setting = await Setting.make();
  await setting.write(json({ AccessKeyId: "first" }));
  assert.equal(await setting.sender(), "first");
  await setting.write('{ "Version": 1, "Acc');
  assert.equal(await setting.sender(), "first");
  await Deno.remove(setting.file);
  assert.equal(await setting.sender(), "first");
  await setting.write(json({ AccessKeyId: "second" }));
  assert.equal(await setting.sender(), "second");
});

Deno.test("credentials that expire are read again, and then no broken file passes", async () => {
  await using setting = await Setting.make();
  const Expiration = new Date(Date.now() - 1000).toISOString();
  await setting.write(json({ AccessKeyId: "first", Expiration }));
  assert.equal(await setting.sender(), "first");
  await setting.write("{");
  assert.match(await setting.denial(), /it starts like JSON but cannot be parsed/);
});

Deno.test("a credentials file that the service refuses is read again, changed or not", async () => {
  await using setting = await Setting.make();
  setting.bucket.expired.add("first");
  await setting.write(json({ AccessKeyId: "first" }));
  assert.match(await setting.denial(), /ExpiredToken.*; renew the credentials$/);
  await setting.write(json({ AccessKeyId: "second" }));
  assert.equal(await setting.sender(), "second");
});

Deno.test("what is wrong with a credentials file is told, but not what is in it", async () => {
  await using setting = await Setting.make();
  const wrong: [text: string | undefined, problem: RegExp][] = [
    [undefined, /No such file/],
    ['{"SecretAccessKey":"very-secret', /it starts like JSON but cannot be parsed/],
    [json({ AccessKeyId: 3 }), /'AccessKeyId' and 'SecretAccessKey' must be texts/],
    [json({ AccessKeyId: "a", Version: 2 }), /'Version' must be 1/],
    [json({ AccessKeyId: "a", SessionToken: 3 }), /'SessionToken' must be a text/],
    [json({ AccessKeyId: "a", Expiration: "very-secret" }), /'Expiration' must be a time/],
    [profiles({ other: "a" }), /profile: \[default\]/],
    ["very-secret", /profile: \[default\]/],
  ];
  for (const [text, problem] of wrong) {
    if (text !== undefined) await setting.write(text);
    const message = await setting.denial();
    assert.match(message, problem);
    assert.ok(message.includes(`fetching credentials: ${setting.file}: `), message);
    assert.match(message, /; check 's3.credentialsFile'$/);
    assert.doesNotMatch(message, /very-secret/);
  }
});
