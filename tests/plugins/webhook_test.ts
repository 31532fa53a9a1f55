import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { BackendUnavailableError, ConfigError, RejectedUpdateError } from "../../lib/errors.ts";
import { updateToJson } from "../../lib/update.ts";
import webhook from "../../plugins/webhook.ts";
import { stalledServer, unreachableEndpoint } from "../servers/http.ts";
import { makeCertificates } from "../stores/certificates.ts";
import {
  makeRemoval,
  makeUpdate,
  start,
  type StartedPlugin,
  temporaryDirectory,
} from "./harness.ts";

const secret = "whsec_" + btoa("0123456789abcdef0123456789abcdef");

interface Received {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
}

/** An HTTP server that remembers what it is sent. */
function receive(answer: () => Response | Promise<Response>): Receiver {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const headers = Object.fromEntries(request.headers);
    const path = new URL(request.url).pathname;
    received.push({ method: request.method, path, headers, body: await request.text() });
    return await answer();
  });
  const url = `http://127.0.0.1:${server.addr.port}/hooks/T0KEN`;
  return { url, received, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("webhook POSTs the update as JSON with a signature that verifies", async () => {
  await using receiver = receive(() => new Response("thank you"));
  await using plugin = await start(webhook, { url: receiver.url, secret });
  const updates = [
    makeUpdate({ content: { title: "Näws" }, metadata: { status: "success" } }),
    makeUpdate({ content: new Uint8Array([255, 0]), superseded: true }),
    makeRemoval(),
  ];
  for (const update of updates) await plugin.update(update);

  assert.equal(receiver.received.length, 3);
  for (const [i, { method, path, headers, body }] of receiver.received.entries()) {
    assert.equal(method, "POST");
    assert.equal(path, "/hooks/T0KEN");
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["webhook-id"], updates[i].id);
    assert.deepEqual(new Webhook(secret).verify(body, headers), updateToJson(updates[i]));
  }
});

Deno.test("webhook signs with a secret from the environment", async () => {
  await using receiver = receive(() => new Response(null, { status: 204 }));
  using _variable = environmentVariable("HOOK_SECRET", secret);
  await using plugin = await start(webhook, { url: receiver.url, secretEnv: "HOOK_SECRET" });
  await plugin.update(makeUpdate());
  const [{ body, headers }] = receiver.received;
  assert.deepEqual(new Webhook(secret).verify(body, headers), updateToJson(makeUpdate()));
});

function environmentVariable(name: string, value: string): Disposable {
  Deno.env.set(name, value);
  return { [Symbol.dispose]: () => Deno.env.delete(name) };
}

Deno.test("webhook sends the configured headers, which cannot replace the signature", async () => {
  await using receiver = receive(() => new Response());
  const headers = { "Authorization": "Bearer abc", "Webhook-Signature": "v1,forged" };
  await using plugin = await start(webhook, { url: receiver.url, secret, headers });
  await plugin.update(makeUpdate());
  const [{ body, headers: sent }] = receiver.received;
  assert.equal(sent.authorization, "Bearer abc");
  assert.ok(new Webhook(secret).verify(body, sent));
});

/** What comes of one update. */
async function outcome(plugin: StartedPlugin): Promise<unknown> {
  return await plugin.update(makeUpdate()).then(() => "applied", (error: unknown) => error);
}

Deno.test("webhook tells by the status whether the update is refused, the receiver away, or neither", async () => {
  let status = 200;
  await using receiver = receive(() => new Response("no\x1b[2J ".repeat(1_000), { status }));
  await using plugin = await start(webhook, { url: receiver.url, secret });
  const statuses: [{ name: string }, number[]][] = [
    [RejectedUpdateError, [400, 404, 409, 410, 413, 422]],
    [BackendUnavailableError, [408, 425, 429, 502, 503, 504]],
    [Error, [401, 403, 407, 500, 501, 505]],
  ];
  for (status of [200, 201, 202]) assert.equal(await outcome(plugin), "applied");
  for (const [kind, all] of statuses) {
    for (status of all) {
      const error = await outcome(plugin);
      assert.ok(error instanceof Error);
      assert.equal(error.name, kind.name, `status ${status}`);
      const { origin } = new URL(receiver.url);
      assert.equal(
        error.message,
        `${origin} answered ${status} to https://example.com/feed.xml: ` +
          JSON.stringify("no\x1b[2J ".repeat(1_000).slice(0, 200)),
      );
    }
  }
});

Deno.test("webhook reads from Retry-After when to try again", async () => {
  const headers: [Record<string, string>, number | undefined][] = [
    [{ "retry-after": "120" }, 120_000],
    [{ "retry-after": "0" }, 0],
    [
      { date: "Fri, 02 Jan 2026 03:04:05 GMT", "retry-after": "Fri, 02 Jan 2026 03:05:05 GMT" },
      60_000,
    ],
    [{ date: "Fri, 02 Jan 2026 03:04:05 GMT", "retry-after": "Fri, 02 Jan 2026 03:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ];
  for (const [sent, expected] of headers) {
    await using receiver = receive(() => new Response(null, { status: 429, headers: sent }));
    await using plugin = await start(webhook, { url: receiver.url, secret });
    const error = await outcome(plugin);
    assert.ok(error instanceof BackendUnavailableError);
    assert.equal(error.retryAfterMs, expected, JSON.stringify(sent));
  }
});

Deno.test("webhook does not follow redirects", async () => {
  await using elsewhere = receive(() => new Response());
  for (const status of [301, 302, 303, 307, 308]) {
    const headers = { location: elsewhere.url };
    await using receiver = receive(() => new Response(null, { status, headers }));
    await using plugin = await start(webhook, { url: receiver.url, secret });
    await assert.rejects(plugin.update(makeUpdate()), {
      name: "Error",
      message: new RegExp(`answered ${status} .* redirects are not followed`),
    });
  }
  assert.deepEqual(elsewhere.received, []);
});

Deno.test("webhook gives up on a receiver that does not answer within its timeout", async () => {
  const silence = Promise.withResolvers<Response>();
  await using receiver = receive(() => silence.promise);
  await using plugin = await start(webhook, { url: receiver.url, secret, timeout: "50ms" });
  const { origin } = new URL(receiver.url);
  await assert.rejects(plugin.update(makeUpdate()), {
    message: `Cannot POST to ${origin}: no answer within 50 ms`,
  });
  silence.resolve(new Response());
});

Deno.test("webhook ends a call as soon as its signal is aborted", async () => {
  const controller = new AbortController();
  const reason = new Error("Took longer than 30s");
  const silence = Promise.withResolvers<Response>();
  await using receiver = receive(() => {
    controller.abort(reason);
    return silence.promise;
  });
  await using plugin = await start(webhook, { url: receiver.url, secret, timeout: "1h" });
  await assert.rejects(plugin.update(makeUpdate(), controller.signal), reason);
  silence.resolve(new Response());
});

Deno.test("webhook reads little more of a long answer than it reports", async () => {
  const end = Promise.withResolvers<"cut off" | "read to the end">();
  const chunks = function* () {
    try {
      for (let i = 0; i < 2_000; i++) yield new Uint8Array(10_000).fill(0x61);
      end.resolve("read to the end");
    } finally {
      end.resolve("cut off");
    }
  };
  await using receiver = receive(() =>
    new Response(ReadableStream.from(chunks()), { status: 500 })
  );
  await using plugin = await start(webhook, { url: receiver.url, secret });
  await assert.rejects(plugin.update(makeUpdate()), { message: /: "a{200}"$/ });
  assert.equal(await end.promise, "cut off");
});

/** How a server may end what was begun; each gets the connection after the request has arrived. */
const ENDS: Record<string, string> = {
  "closed without an answer": "",
  "closed in the middle of the headers": "HTTP/1.1 200 OK\r\nContent-Le",
  "something else than HTTP": "SSH-2.0-OpenSSH_9.2\r\n",
  "a broken status line": "HTTP/1.1 abc\r\n\r\n",
  "a header that is none": "HTTP/1.1 200 OK\r\n\0: x\r\n\r\n",
  "closed after the headers of a failure": "HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\n",
  "closed in the middle of a body": "HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nnot now",
  "broken chunks": "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
};

/** A server that reads a little of each request, answers with `text` and hangs up. */
function rawServer(text: string): { port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      using open = connection;
      await open.read(new Uint8Array(64 * 1024)).catch(() => {});
      await open.write(new TextEncoder().encode(text)).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** The receiver is away, and nothing that is told of it has more of its URL than the origin. */
async function assertAwayUnnamed(
  { url, timeout, how }: { url: string; timeout?: string; how: string },
): Promise<void> {
  await using plugin = await start(webhook, { url, secret, timeout });
  const error = await outcome(plugin);
  assert.ok(error instanceof BackendUnavailableError, `${how}: ${Deno.inspect(error)}`);
  assert.ok(error.message.includes(new URL(url).origin), `${how}: ${error.message}`);
  const told = Deno.inspect(error, { depth: 10, showHidden: true }) + plugin.logged.join();
  assert.doesNotMatch(told, SECRET_PARTS, how);
}

const SECRET_PATH = "/hooks/T0KEN(1)/B%C3%A4R?key=K3Y%21";
const SECRET_PARTS = /T0KEN|K3Y|B%C3|BäR|us3r|passw0rd/i;

Deno.test("webhook names no part of its URL but the origin, however the receiver fails", async () => {
  for (const [how, text] of Object.entries(ENDS)) {
    await using server = rawServer(text);
    const url = `http://us3r:passw0rd@127.0.0.1:${server.port}${SECRET_PATH}`;
    await assertAwayUnnamed({ url, how });
  }
  await using plain = rawServer("SSH-2.0-OpenSSH_9.2\r\n");
  await using silent = stalledServer();
  await using halting = stalledServer("HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nno");
  await using slow = stalledServer("HTTP/1.1 200 OK\r\nContent-");
  const away: [how: string, origin: string, timeout?: string][] = [
    ["connection refused", unreachableEndpoint()],
    ["no TLS", `https://127.0.0.1:${plain.port}`],
    ["a name that is none", "http://no-such-host.invalid"],
    ["a port that is blocked", "http://127.0.0.1:1"],
    ["a timeout", silent.endpoint, "50ms"],
    ["a timeout in the headers", slow.endpoint, "50ms"],
    ["a timeout in the body", halting.endpoint, "100ms"],
  ];
  for (const [how, origin, timeout] of away) {
    await assertAwayUnnamed({ url: origin + SECRET_PATH, timeout, how });
  }
});

Deno.test("webhook names no part of its URL but the origin when the certificate is not trusted", async () => {
  await using home = await temporaryDirectory();
  const { certificate, key } = await makeCertificates(home.path);
  const [cert, secretKey] = await Promise.all(
    [certificate, key].map((path) => Deno.readTextFile(path)),
  );
  const options = { hostname: "localhost", port: 0, cert, key: secretKey, onListen() {} };
  const server = Deno.serve(options, () => new Response());
  try {
    const url = `https://localhost:${server.addr.port}${SECRET_PATH}`;
    await assertAwayUnnamed({ url, how: "a certificate of nobody" });
    await using plugin = await start(webhook, { url, secret });
    assert.match(String(await outcome(plugin)), /its certificate is not trusted$/);
  } finally {
    await server.shutdown();
  }
});

Deno.test("webhook does not quote an answer that repeats its URL or a header", async () => {
  const pages = [
    (url: string) => `Cannot POST ${new URL(url).pathname}`,
    (url: string) => `Not found: ${decodeURIComponent(url).toUpperCase()}`,
    (url: string) => `<p>${new URL(url).search.slice(1)}</p>`,
    () => "Who is tok3n-abcdef?",
  ];
  for (const page of pages) {
    for (const status of [302, 404, 500, 503]) {
      await using server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen() {} },
        (request) => new Response(page(request.url), { status, headers: { location: "/T0KEN" } }),
      );
      const url = `http://127.0.0.1:${server.addr.port}${SECRET_PATH}`;
      const headers = { authorization: "Bearer tok3n-abcdef" };
      await using plugin = await start(webhook, { url, secret, headers });
      const error = await outcome(plugin);
      assert.match(String(error), new RegExp(`answered ${status} to https://example.com/feed.xml`));
      assert.doesNotMatch(Deno.inspect(error), SECRET_PARTS);
      assert.doesNotMatch(Deno.inspect(error), /tok3n/);
    }
  }
});

Deno.test("webhook refuses options that cannot work, without showing secrets", async () => {
  const url = "https://example.com/hook";
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ secret }, /url/],
    [{ url: "ftp://example.com", secret }, /must be an https: or http: URL/],
    [{ url: "example.com", secret }, /must be an https: or http: URL/],
    [{ url }, /exactly one of 'secret' and 'secretEnv'/],
    [{ url, secret, secretEnv: "HOOK_SECRET" }, /exactly one of 'secret' and 'secretEnv'/],
    [{ url, secret, timeout: "soon" }, /must be a duration/],
    [{ url, secret, timeout: 0 }, /timeout/],
    [{ url, secret, retries: 3 }, /retries/],
    [{ url, secret, headers: { a: 1 } }, /headers/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(start(webhook, options), message, JSON.stringify(options));
  }
});

Deno.test("webhook refuses secrets and headers that cannot be used, when it is set up", async () => {
  const url = "https://example.com/hook";
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ url, secret: "whsec_p4ssw0rd!" }, /'secret' is not "whsec_" and base64/],
    [{ url, secret: "whsec_p4ssw0r" }, /'secret' is not "whsec_" and base64/],
    [{ url, secret: "p4ssw0rd" }, /'secret' is not "whsec_" and base64/],
    [{ url, secret: "whsec_" }, /'secret' is not "whsec_" and base64/],
    [{ url, secret: "" }, /'secret' is not set/],
    [{ url, secretEnv: "whsec_p4ssw0rd" }, /must be the name of an environment variable/],
    [{ url, secretEnv: "HOOK_SECRET_UNSET" }, /variable HOOK_SECRET_UNSET is not set/],
    [{ url, secret, headers: { "a b": "1" } }, /header "a b" is invalid/],
    [{ url, secret, headers: { a: "p4ssw0rd\n" + "b: c" } }, /header "a" is invalid/],
  ];
  for (const [options, message] of wrong) {
    const error = await start(webhook, options).catch((error: unknown) => error);
    const isRefused = error instanceof ConfigError || error instanceof z.ZodError;
    assert.ok(isRefused, JSON.stringify(options));
    assert.match(error.message, message);
    assert.doesNotMatch(Deno.inspect(error), /p4ssw0rd/);
  }
});
