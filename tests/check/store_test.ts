/** What users get wrong about stores, and what `check` says: services answer as such services do. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { exitCodeOf } from "../../lib/cli/exit.ts";
import type { Config } from "../../lib/config/config.ts";
import { openStore } from "../../lib/stores/open.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import {
  foreignServer,
  httpProxy,
  httpServer,
  s3Failure,
  type Server,
  unreachableEndpoint,
} from "../servers/http.ts";
import { at, findingsWith, OF_STORE } from "./findings.ts";

const STORE = "s3://feed-sync/prod";
const KEYS = { region: "us-east-1", accessKeyId: "test", secretAccessKey: "test" };
const HTML = { "content-type": "text/html; charset=utf-8" };
const DENIED = 77, CONFIGURATION = 78, UNAVAILABLE = 69;

function at3(endpoint: string): Config {
  return { store: STORE, s3: { ...KEYS, endpoint } };
}

/** A service with the bucket, and something between it and who asks. */
async function service(
  change: (request: Request, forward: () => Promise<Response>) => Promise<Response> = (
    _,
    forward,
  ) => forward(),
) {
  const fauxqs = await fauxqsServer("feed-sync");
  await using store = await openStore(STORE, { ...KEYS, endpoint: fauxqs.endpoint });
  for (const key of ["tail/a", "tail/b"]) await store.put(key, new Uint8Array([1]));
  const proxy = httpProxy(fauxqs.endpoint, change);
  return {
    config: at3(proxy.endpoint),
    /** The keys in the bucket. */
    async keys(): Promise<string[]> {
      await using store = await openStore(STORE, { ...KEYS, endpoint: fauxqs.endpoint });
      return (await Array.fromAsync(store.list(""))).map(({ key }) => key);
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await fauxqs[Symbol.asyncDispose]();
    },
  };
}

/** What kind of request it is. */
function kindOf({ method, url }: Request): string {
  if (method !== "GET") return method === "PUT" ? "write" : "delete";
  return url.includes("list-type=2") ? "list" : "read";
}

Deno.test("a good bucket has nothing wrong or doubtful, and holds afterwards what it held before", async () => {
  await using place = await service();
  const findings = await findingsWith({ ...place.config, state: join(await tempDir(), "a.db") });
  assert.deepEqual([...at("error", findings), ...at("warning", findings)], []);
  assert.deepEqual(at("ok", findings).filter((what) => what.startsWith("rights")), [
    "rights: The right to list is given",
    "rights: The right to write is given",
    "rights: The right to read is given",
    "rights: The right to delete is given",
  ]);
  assert.deepEqual(await place.keys(), ["tail/a", "tail/b"]);
});

Deno.test("a good directory has nothing wrong or doubtful, and holds afterwards what it held before", async () => {
  const path = await tempDir();
  const findings = await findingsWith({
    store: `file:${path}`,
    state: join(path, "..", "none.db"),
  });
  assert.deepEqual([...at("error", findings), ...at("warning", findings)], []);
  assert.deepEqual(Array.from(Deno.readDirSync(path), ({ name }) => name), [".tmp"]);
});

Deno.test("on request a large body is written and read, which shows a limit that others do not", async () => {
  const LIMIT = 1_000_000, thorough = true;
  await using limited = await service(async (request, forward) => {
    const isLarge = Number(request.headers.get("content-length")) > LIMIT;
    return isLarge ? new Response("Too large", { status: 413 }) : await forward();
  });
  const bodies = async (config: Config, options = {}) =>
    (await findingsWith(config, options)).filter(({ check }) => check === "bodies");
  assert.equal((await bodies(limited.config)).length, 1);
  const [small, large] = await bodies(limited.config, { thorough });
  assert.equal(small.what, "Bodies come back as they were written");
  assert.equal(large.level, "error");
  assert.match(large.what, /413/);
  assert.match(large.advice!, /look for a limit of size or time/);
  assert.deepEqual(await limited.keys(), ["tail/a", "tail/b"]);
  await using free = await service();
  const [, passes] = await bodies(free.config, { thorough });
  assert.match(passes.what, /^A body of 8 MiB comes back as it was written: \d+\.\d s$/);
  assert.deepEqual(await free.keys(), ["tail/a", "tail/b"]);
});

Deno.test("a directory that is not there is not made", async () => {
  const path = join(await tempDir(), "store");
  const findings = await findingsWith({ store: `file:${path}` });
  assert.match(at("warning", findings)[0], /^store: The store file:.* is not there yet$/);
  assert.deepEqual(at("unchecked", findings).slice(0, OF_STORE.length), OF_STORE.map(twice));
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("a missing bucket is told, and not made", async () => {
  await using fauxqs = await fauxqsServer();
  const requests: string[] = [];
  await using proxy = httpProxy(fauxqs.endpoint, (request, forward) => {
    requests.push(request.method);
    return forward();
  });
  const findings = await findingsWith(at3(proxy.endpoint));
  const [{ error, what, check }] = findings.filter(({ level }) => level === "error");
  assert.equal(check, "store");
  assert.match(what, /: NoSuchBucket: .*; check 'store', .*make the bucket with `feedsync init`$/);
  assert.equal(exitCodeOf(error), CONFIGURATION);
  assert.ok(requests.every((method) => method === "GET"), requests.join(" "));
  assert.deepEqual(at("unchecked", findings).slice(0, OF_STORE.length), OF_STORE.map(twice));
});

/** What is wrong with the store altogether. */
const MISTAKES: Record<string, {
  readonly serve: () => Server;
  readonly endpoint?: (endpoint: string) => string;
  readonly says: RegExp;
  readonly code: number;
}> = {
  "the bucket in the path of the endpoint": {
    serve: () => httpServer(() => new Response()),
    endpoint: (endpoint) => `${endpoint}/feed-sync`,
    says: /it names the bucket feed-sync.*set 's3.endpoint' to http:/,
    code: CONFIGURATION,
  },
  "the bucket in the host of the endpoint": {
    serve: () => httpServer(() => new Response()),
    endpoint: () => "https://feed-sync.nyc3.digitaloceanspaces.com",
    says: /set 's3.endpoint' to https:\/\/nyc3.digitaloceanspaces.com$/,
    code: CONFIGURATION,
  },
  "another region": {
    serve: () => httpServer(() => s3Failure(400, "AuthorizationHeaderMalformed", "wrong region")),
    says: /check 's3.region'$/,
    code: CONFIGURATION,
  },
  "path style where it is forbidden": {
    serve: () => httpServer(() => s3Failure(403, "SecondLevelDomainForbidden")),
    says: /set 's3.forcePathStyle' to false$/,
    code: CONFIGURATION,
  },
  "an unknown access key": {
    serve: () => httpServer(() => s3Failure(403, "InvalidAccessKeyId")),
    says: /check 's3.accessKeyId' and 's3.secretAccessKey'$/,
    code: DENIED,
  },
  "a wrong secret": {
    serve: () => httpServer(() => s3Failure(403, "SignatureDoesNotMatch")),
    says: /check 's3.accessKeyId' and 's3.secretAccessKey'$/,
    code: DENIED,
  },
  "a proxy that answers with pages": {
    serve: () => httpServer(() => new Response("<html><title>Blocked</title>", { headers: HTML })),
    says: /not that of an S3 service \("Blocked"\); check 's3.endpoint', and proxies/,
    code: UNAVAILABLE,
  },
  "http: where https: is spoken": {
    serve: () => foreignServer(new Uint8Array([0x15, 3, 1, 0, 2, 2, 0x46])),
    says: /write https: in 's3.endpoint', or check its port$/,
    code: CONFIGURATION,
  },
  "https: where http: is spoken": {
    serve: () => httpServer(() => new Response()),
    endpoint: (endpoint) => endpoint.replace("http:", "https:"),
    says: /write http: in 's3.endpoint', or name the port for https:$/,
    code: CONFIGURATION,
  },
  "nobody there": {
    serve: () => httpServer(() => new Response()),
    endpoint: unreachableEndpoint,
    says: /^store: Cannot reach the store .*Connection refused/,
    code: UNAVAILABLE,
  },
};

for (const [name, { serve, endpoint, says, code }] of Object.entries(MISTAKES)) {
  Deno.test(`check tells what is wrong with a store, and goes on with the rest: ${name}`, async () => {
    await using server = serve();
    const { endpoint: url } = server;
    const findings = await findingsWith(at3(endpoint?.(url) ?? url));
    const [problem, ...others] = at("error", findings);
    assert.match(problem, says);
    assert.deepEqual(others, []);
    assert.equal(exitCodeOf(findings.find(({ level }) => level === "error")!.error), code);
    assert.deepEqual(at("unchecked", findings).slice(0, OF_STORE.length), OF_STORE.map(twice));
    assert.equal(
      at("ok", findings).at(-1),
      "plugins: The plugin log can be loaded with its options",
    );
  });
}

for (const right of ["list", "read", "write", "delete"]) {
  Deno.test(`check finds that the right to ${right} is missing, and no other`, async () => {
    await using place = await service((request, forward) =>
      kindOf(request) === right ? Promise.resolve(s3Failure(403, "AccessDenied")) : forward()
    );
    const findings = (await findingsWith(place.config)).filter(({ check }) => check === "rights");
    const bad = findings.filter(({ level }) => level !== "ok");
    assert.equal(bad.length, 1, JSON.stringify(bad));
    const [{ level, what, advice, error }] = bad;
    assert.match(what, /^Access denied to the store .*AccessDenied: said the service; check what/);
    assert.match(advice!, new RegExp(`^Without the right to ${right} \\(s3:`));
    const isLeft = (await place.keys()).includes("probe");
    if (right === "delete") {
      assert.equal(level, "warning");
      assert.match(advice!, /The object "probe" is left there; it does no harm$/);
    } else {
      assert.equal(level, "error");
      assert.equal(exitCodeOf(error), DENIED);
    }
    assert.equal(isLeft, right === "delete");
  });
}

Deno.test("check finds a clock that is wrong, and one that the store does not tell", async () => {
  const dates: [date: string | undefined, says: RegExp][] = [
    [new Date(Date.now() + 3 * 3600_000).toUTCString(), /is 3 h behind that of the store$/],
    [new Date(Date.now() - 3 * 3600_000).toUTCString(), /is 3 h ahead of that of the store$/],
    [undefined, /^clock: The store tells no time/],
  ];
  for (const [date, says] of dates) {
    await using place = await service(async (_, forward) => {
      const { body, status, headers } = await forward();
      const changed = new Headers(headers);
      if (date === undefined) changed.set("age", "7");
      else changed.set("date", date);
      return new Response(body, { status, headers: changed });
    });
    const found = at("warning", await findingsWith(place.config))
      .filter((what) => what.startsWith("clock"));
    assert.equal(found.length, 1);
    assert.match(found[0], says);
  }
});

Deno.test("check finds a proxy that unpacks bodies, and one that changes them", async () => {
  const changes: [change: (body: Uint8Array) => Uint8Array, says: string][] = [
    [(body) => zstdDecompressSync(body), "warning: Bodies come back unpacked"],
    [(body) => body.with(-1, body.at(-1)! ^ 1), "error: Cannot use the store"],
  ];
  for (const [change, says] of changes) {
    await using place = await service(async (request, forward) => {
      const answer = await forward();
      if (kindOf(request) !== "read" || !answer.ok || !request.url.includes("probe")) return answer;
      const body = change(await answer.bytes()) as Uint8Array<ArrayBuffer>;
      return new Response(body, { headers: { etag: '"1"' } });
    });
    const found = (await findingsWith(place.config)).filter(({ check }) => check === "bodies");
    assert.deepEqual(found.map(({ level, what }) => `${level}: ${what}`.slice(0, says.length)), [
      says,
    ]);
  }
});

Deno.test("check finds that a bucket keeps versions", async () => {
  await using place = await service(async (request, forward) => {
    if (request.method !== "POST") return await forward();
    await (await forward()).body?.cancel();
    return new Response(
      "<DeleteResult><Deleted><Key>prod/probe</Key><DeleteMarker>true</DeleteMarker></Deleted>" +
        "</DeleteResult>",
      { headers: { "content-type": "application/xml" } },
    );
  });
  assert.deepEqual(at("warning", await findingsWith(place.config)).slice(0, 1), [
    "versions: What is deleted stays as old versions, which you pay for",
  ]);
});

/** A check that is not made is named after itself. */
function twice(name: string): string {
  return `${name}: ${name}`;
}

const directories: string[] = [];
Deno.test.afterAll(async () => {
  for (const path of directories) await Deno.remove(path, { recursive: true });
});

async function tempDir(): Promise<string> {
  const path = await Deno.makeTempDir();
  directories.push(path);
  return path;
}
