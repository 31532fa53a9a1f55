/** What users get wrong, and what becomes of it: each service answers as that kind of service does. */
import assert from "node:assert/strict";
import { exitCodeOf } from "../../lib/cli/exit.ts";
import { ConfigError } from "../../lib/errors.ts";
import { checkEndpoint } from "../../lib/stores/endpoint.ts";
import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { foreignServer, httpProxy, httpServer, s3Failure, type Server } from "../servers/http.ts";
import { VirtualTime } from "../virtual_time.ts";
import { bytes, keys, list } from "./contract.ts";
import { hurried } from "./hurried.ts";
import { makeCertificates } from "./certificates.ts";

const DENIED = 77, CONFIGURATION = 78, UNAVAILABLE = 69;
const HTML = { "content-type": "text/html; charset=utf-8" };
const BUCKET = {
  region: "us-east-1",
  accessKeyId: "test",
  secretAccessKey: "test",
  bucket: "feed-sync",
};

async function failure(work: Promise<unknown>): Promise<Error> {
  const outcome = await work.then(() => undefined, (error) => error);
  assert.ok(outcome instanceof Error, "it must fail");
  return outcome;
}

interface Mistake {
  readonly answer: () => Response;
  readonly code: number;
  readonly says: RegExp;
}

function mistake(
  [status, code, message]: [number, string, string?],
  exitCode: number,
  says: RegExp,
): Mistake {
  return { answer: () => s3Failure(status, code, message), code: exitCode, says };
}

const SERVICE_MISTAKES: Record<string, Mistake> = {
  "a bucket in the host of the endpoint": mistake(
    [404, "NoSuchKey", "The specified key does not exist."],
    CONFIGURATION,
    /check 's3.endpoint': it must name only the service, without a bucket$/,
  ),
  "a service without path style, in its own words": mistake(
    [403, "SecondLevelDomainForbidden"],
    CONFIGURATION,
    /set 's3.forcePathStyle' to false$/,
  ),
  "a service without path style": mistake(
    [400, "InvalidRequest", "Please use virtual-hosted style requests"],
    CONFIGURATION,
    /set 's3.forcePathStyle' to false$/,
  ),
  "a region that a service does not know": mistake(
    [400, "InvalidRegionName", "The region name 'us-east-1' is not valid."],
    CONFIGURATION,
    /check 's3.region'$/,
  ),
  "a region other than that of the bucket": mistake(
    [400, "AuthorizationHeaderMalformed", "the region 'x' is wrong; expecting 'eu-west-1'"],
    CONFIGURATION,
    /expecting 'eu-west-1'; check 's3.region'$/,
  ),
  "a region, in other words": mistake(
    [400, "InvalidArgument", "Credential region does not match"],
    CONFIGURATION,
    /check 's3.region'$/,
  ),
  "a key of another service": mistake(
    [400, "InvalidArgument", "Credential access key has length 20, should be 32"],
    DENIED,
    /check 's3.accessKeyId' and 's3.secretAccessKey'$/,
  ),
  "an access key that nobody knows": mistake(
    [403, "InvalidAccessKeyId"],
    DENIED,
    /check 's3.accessKeyId' and 's3.secretAccessKey'$/,
  ),
  "a wrong secret": mistake(
    [403, "SignatureDoesNotMatch"],
    DENIED,
    /check 's3.accessKeyId' and 's3.secretAccessKey'$/,
  ),
  "a missing right": mistake([403, "AccessDenied"], DENIED, /check what these credentials/),
  "a cap on requests": mistake(
    [403, "AccessDenied", "Transaction cap exceeded, see the Caps & Alerts page"],
    UNAVAILABLE,
    /raise the cap on requests at the provider, or wait until it is reset$/,
  ),
  "a quota": mistake([403, "QuotaExceeded"], UNAVAILABLE, /make room at the provider/),
  "a wrong clock": mistake([403, "RequestTimeTooSkewed"], UNAVAILABLE, /set the clock/),
  "the port of the console": mistake(
    [400, "InvalidArgument", "S3 API Requests must be made to API port."],
    CONFIGURATION,
    /check the port in 's3.endpoint': this is the port of the console$/,
  ),
  "the port of a console that answers with its pages": {
    answer: () =>
      new Response("<!doctype html><html><title>Console</title></html>", { headers: HTML }),
    code: UNAVAILABLE,
    says: /the answer is not that of an S3 service \("Console"\); check 's3.endpoint', and proxies/,
  },
  "http: at a port for https:": {
    answer: () =>
      new Response("Client sent an HTTP request to an HTTPS server.\n", { status: 400 }),
    code: CONFIGURATION,
    says: /write https: in 's3.endpoint', or name the port for http:$/,
  },
  "http: at a port for https:, in nginx's words": {
    answer: () =>
      new Response("<html><title>400 The plain HTTP request was sent to HTTPS port</title>", {
        status: 400,
        headers: HTML,
      }),
    code: CONFIGURATION,
    says: /write https: in 's3.endpoint', or name the port for http:$/,
  },
  "a proxy that lets nothing pass": {
    answer: () => new Response("<html><h1>Blocked</h1></html>", { status: 403, headers: HTML }),
    code: UNAVAILABLE,
    says: /status 403, the answer is not that of an S3 service \("Blocked"\); check 's3.endpoint'/,
  },
  "a login page": {
    answer: () => new Response(null, { status: 302, headers: { location: "https://login/" } }),
    code: UNAVAILABLE,
    says: /it redirects to https:\/\/login\/; check 's3.endpoint', and proxies and login pages/,
  },
  "a bucket that was made just now": {
    answer: () => s3Failure(307, "TemporaryRedirect", "no", { "x-amz-bucket-region": "eu-west-1" }),
    code: UNAVAILABLE,
    says: /the bucket is in eu-west-1; check 's3.region'$/,
  },
  "a service that has moved": {
    answer: () => new Response(null, { status: 308, headers: { location: "https://new/" } }),
    code: CONFIGURATION,
    says: /it redirects to https:\/\/new\/; check 's3.endpoint'$/,
  },
};

for (const [name, { answer, code, says }] of Object.entries(SERVICE_MISTAKES)) {
  Deno.test(`the message and the exit code tell what is wrong: ${name}`, async () => {
    await using server = httpServer(answer);
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    for (const work of [() => list(store, ""), () => store.put("a", bytes("x"))]) {
      const error = await failure(work());
      assert.match(error.message, says);
      assert.equal(exitCodeOf(error), code, error.message);
    }
  });
}

Deno.test("a redirect to https: says to write that", async () => {
  await using server = httpServer(({ url }) =>
    new Response(null, { status: 302, headers: { location: url.replace("http:", "https:") } })
  );
  await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
  const error = await failure(list(store, ""));
  assert.ok(error instanceof ConfigError);
  assert.match(error.message, /write https: in 's3.endpoint'$/);
});

Deno.test("https: at a port for http: says so", async () => {
  await using server = httpServer(() => new Response());
  const endpoint = server.endpoint.replace("http:", "https:");
  await using store = await openS3Store({ ...BUCKET, endpoint });
  const error = await failure(list(store, ""));
  assert.ok(error instanceof ConfigError, error.message);
  assert.match(error.message, /write http: in 's3.endpoint', or name the port for https:$/);
});

Deno.test("a port for https:, or for another service, says what is wrong with http: there", async () => {
  const alertOfTls = new Uint8Array([0x15, 3, 1, 0, 2, 2, 0x46]);
  const answers = [alertOfTls, new TextEncoder().encode("-ERR unknown command\r\n")];
  for (const answer of answers) {
    await using server = foreignServer(answer);
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    const error = await failure(list(store, ""));
    assert.ok(error instanceof ConfigError, error.message);
    assert.match(error.message, /write https: in 's3.endpoint', or check its port$/);
  }
});

Deno.test("an unknown authority and a host that is not there are out of reach, with advice", async () => {
  const directory = await Deno.makeTempDir();
  const { certificate, key } = await makeCertificates(directory);
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(certificate),
    key: await Deno.readTextFile(key),
    onListen() {},
  }, () => new Response());
  await Deno.remove(directory, { recursive: true });
  const endpoints: Record<string, RegExp> = {
    [`https://localhost:${server.addr.port}`]:
      /UnknownIssuer; set the environment variable DENO_CERT to the certificate/,
    "http://nowhere.invalid": /dns error.*; check 's3.endpoint', 's3.region', and whether/,
  };
  for (const [endpoint, says] of Object.entries(endpoints)) {
    await using store = await openS3Store({ ...BUCKET, endpoint });
    const error = await failure(list(store, ""));
    assert.match(error.message, says);
    assert.equal(exitCodeOf(error), UNAVAILABLE);
  }
});

Deno.test("an endpoint that names the bucket, as panels show it, is refused with the right one", () => {
  const endpoints: Record<string, string | undefined> = {
    "https://feeds.nyc3.digitaloceanspaces.com": "https://nyc3.digitaloceanspaces.com",
    "https://0123.r2.cloudflarestorage.com/feeds": "https://0123.r2.cloudflarestorage.com",
    "https://0123.r2.cloudflarestorage.com/feeds/": "https://0123.r2.cloudflarestorage.com",
    "https://feeds.us-east-1.linodeobjects.com": "https://us-east-1.linodeobjects.com",
    "https://feeds.s3.eu-west-1.amazonaws.com": "https://s3.eu-west-1.amazonaws.com",
    "https://feeds.s3.us-west-004.backblazeb2.com/": "https://s3.us-west-004.backblazeb2.com",
    "http://minio:9000/feeds": "http://minio:9000",
    "https://example.com/storage/v1/s3/feeds": "https://example.com/storage/v1/s3",
    "https://nyc3.digitaloceanspaces.com": undefined,
    "https://example.com/storage/v1/s3": undefined,
    "http://feeds.example.com:9000": undefined, // A host of one's own may be called so.
    "https://feeds-old.nyc3.digitaloceanspaces.com": undefined,
  };
  for (const [endpoint, right] of Object.entries(endpoints)) {
    const check = () => checkEndpoint(endpoint, "feeds");
    if (right === undefined) check();
    else assert.throws(check, new RegExp(`set 's3.endpoint' to ${right}$`), endpoint);
  }
});

Deno.test("nothing is sent to an endpoint that names the bucket", async () => {
  await using server = httpServer(() => new Response(null, { headers: { etag: '"1"' } }));
  const endpoint = `${server.endpoint}/feed-sync`;
  await assert.rejects(openS3Store({ ...BUCKET, endpoint }), ConfigError);
});

/** A service without the bucket, that answers its creation as told. */
function withoutBucket(create: (body: string) => Response): Server {
  return httpServer(async (request) => {
    if (request.method === "PUT") return create(await request.text());
    return s3Failure(404, "NoSuchBucket");
  });
}

/** What comes of creating the bucket there. */
async function failedCreation({ endpoint }: Server): Promise<Error> {
  await using store = await openS3Store({ ...BUCKET, endpoint, environment: hurried });
  return await failure(store.create!());
}

Deno.test("a bucket whose name is taken by somebody else is a wrong configuration", async () => {
  for (const code of ["BucketAlreadyExists", "BucketAlreadyOwnedByYou"]) {
    await using server = withoutBucket(() => s3Failure(409, code));
    const error = await failedCreation(server);
    assert.ok(error instanceof ConfigError, error.message);
    assert.match(
      error.message,
      new RegExp(`its bucket is taken, .*\\(${code}\\); name another one`),
    );
  }
});

Deno.test("a bucket that is somebody else's is told as that", async () => {
  await using server = httpServer(() => s3Failure(403, "AccessDenied"));
  const error = await failedCreation(server);
  assert.equal(exitCodeOf(error), DENIED);
  assert.match(error.message, /if the bucket is somebody else's, name another one in 'store'$/);
});

Deno.test("a bucket that somebody else is creating is waited for", async () => {
  await using server = withoutBucket(() => s3Failure(409, "OperationAborted"));
  assert.equal(exitCodeOf(await failedCreation(server)), UNAVAILABLE);
});

Deno.test("a bucket that may not be created is told", async () => {
  await using server = withoutBucket(() => s3Failure(403, "AccessDenied"));
  const error = await failedCreation(server);
  assert.equal(exitCodeOf(error), DENIED);
  assert.match(error.message, /while creating its bucket: AccessDenied/);
});

Deno.test("a bucket is created without its region where services do not know that", async () => {
  for (
    const code of [
      "InvalidLocationConstraint",
      "IllegalLocationConstraintException",
      "InvalidRegion",
    ]
  ) {
    await using service = await fauxqsServer();
    const created: string[] = [];
    await using proxy = httpProxy(service.endpoint, async (request, forward) => {
      if (request.method !== "PUT") return await forward();
      const text = await request.clone().text();
      created.push(text);
      return text.includes("LocationConstraint") ? s3Failure(400, code) : await forward();
    });
    const region = "eu-central-1";
    await using store = await openS3Store({ ...BUCKET, region, endpoint: proxy.endpoint });
    assert.equal(await store.create?.(), true);
    assert.deepEqual(await keys(store, ""), []);
    assert.equal(created.length, 2, code);
  }
});

Deno.test("a bucket that cannot be created either way tells why at first", async () => {
  let tried = 0;
  await using server = withoutBucket(() =>
    s3Failure(
      400,
      tried++ === 0 ? "InvalidLocationConstraint" : "IllegalLocationConstraintException",
    )
  );
  const error = await failedCreation(server);
  assert.match(error.message, /InvalidLocationConstraint.*check 's3.region'$/);
  assert.equal(exitCodeOf(error), CONFIGURATION);
});

for (const [status, code] of [[503, "SlowDown"], [429, "TooManyRequests"]] as const) {
  Deno.test(`a service that asks with ${status} to be left alone is, for as long as it says`, async () => {
    const time = new VirtualTime();
    for (const aheadMs of [undefined, 0, 3_600_000]) {
      const ahead = (ms: number) => new Date(time.clock.now() + ms).toUTCString();
      const headers: Record<string, string> = aheadMs === undefined
        ? { "retry-after": "60" }
        : { "retry-after": ahead(aheadMs + 60_000), "date": ahead(aheadMs) };
      let isBusy = true, asked = 0;
      await using server = httpServer(() => {
        asked++;
        return isBusy ? s3Failure(status, code, "slowly", headers) : new Response("body");
      });
      await using store = await openS3Store({
        ...BUCKET,
        endpoint: server.endpoint,
        environment: time,
      });
      for (const work of [() => store.get("a"), () => store.put("a", bytes("x"))]) {
        const error = await failure(work());
        assert.equal(exitCodeOf(error), UNAVAILABLE);
        assert.match(
          error.message,
          /slowly; the service asked to wait 60 s before the next request$/,
        );
      }
      isBusy = false;
      time.skip(59_000);
      await failure(store.get("a"));
      assert.equal(asked, 1);
      time.skip(1_000);
      assert.ok(await store.get("a"));
      assert.equal(asked, 2);
    }
  });
}
