import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import { ConfigError, RejectedUpdateError } from "../../lib/errors.ts";
import { updateToJson } from "../../lib/update.ts";
import webhook from "../../plugins/webhook.ts";
import { makeRemoval, makeUpdate, start } from "./harness.ts";

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

Deno.test("webhook rejects for good what the receiver refuses, and fails on all else", async () => {
  let status = 200;
  await using receiver = receive(() => new Response("no\x1b[2J ".repeat(1_000), { status }));
  await using plugin = await start(webhook, { url: receiver.url, secret });
  for (status of [200, 201, 202]) await plugin.update(makeUpdate());
  for (status of [400, 404, 409, 410, 413, 422]) {
    await assert.rejects(plugin.update(makeUpdate()), RejectedUpdateError, `status ${status}`);
  }
  for (status of [401, 403, 407, 408, 425, 429, 500, 502, 503]) {
    const error = await plugin.update(makeUpdate()).catch((error: unknown) => error);
    assert.ok(error instanceof Error && !(error instanceof RejectedUpdateError), `${status}`);
    const { origin } = new URL(receiver.url);
    assert.equal(
      error.message,
      `${origin} answered ${status} to https://example.com/feed.xml: ` +
        JSON.stringify("no\x1b[2J ".repeat(1_000).slice(0, 200)),
    );
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

Deno.test("webhook names no part of its URL but the host when it cannot connect", async () => {
  const { port } = await closedPort();
  const url = `http://127.0.0.1:${port}/hooks/T0KEN(1)?key=K3Y`;
  await using plugin = await start(webhook, { url, secret });
  const error = await plugin.update(makeUpdate()).catch((error: unknown) => error);
  assert.ok(error instanceof Error);
  assert.match(error.message, new RegExp(`^Cannot POST to http://127.0.0.1:${port}: .*refused`));
  assert.doesNotMatch(Deno.inspect(error), /T0KEN|K3Y/);
});

/** A port that nobody listens on. */
function closedPort(): { port: number } {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { port: listener.addr.port };
}

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
    [{ url, secretEnv: "HOOK_SECRET_UNSET" }, /variable HOOK_SECRET_UNSET is not set/],
    [{ url, secret, headers: { "a b": "1" } }, /header "a b" is invalid/],
    [{ url, secret, headers: { a: "p4ssw0rd\n" + "b: c" } }, /header "a" is invalid/],
  ];
  for (const [options, message] of wrong) {
    const error = await start(webhook, options).catch((error: unknown) => error);
    assert.ok(error instanceof ConfigError, JSON.stringify(options));
    assert.match(error.message, message);
    assert.doesNotMatch(Deno.inspect(error), /p4ssw0rd/);
  }
});
