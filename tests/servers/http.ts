/**
 * Services that misbehave, for tests.
 *
 * @module
 */

/** A server on this machine. */
export interface Server extends AsyncDisposable {
  /** Its URL. */
  readonly endpoint: string;
}

/** A server that answers as told. */
export function httpServer(answer: (request: Request) => Response | Promise<Response>): Server {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  return {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** An error as S3 services send them. */
export function s3Failure(
  status: number,
  code: string,
  message = "said the service",
  headers: Record<string, string> = {},
): Response {
  const body = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return new Response(body, { status, headers: { "content-type": "application/xml", ...headers } });
}

/**
 * A proxy in front of the service at `endpoint`. `change` may answer a request in place of the
 * service, or change the service's answer.
 */
export function httpProxy(
  endpoint: string,
  change: (request: Request, forward: () => Promise<Response>) => Promise<Response>,
): Server {
  return httpServer((request) => {
    const { pathname, search } = new URL(request.url);
    return change(request, () =>
      fetch(`${endpoint}${pathname}${search}`, {
        method: request.method,
        headers: request.headers,
        body: request.body,
      }));
  });
}

/** A server that leaves its connections open. */
export interface StalledServer extends Server {
  /** Resolves when a request has arrived, and what there is of an answer is sent. */
  readonly stalled: Promise<void>;
}

/** A server that takes one request, sends `beginning`, and nothing after it. */
export function stalledServer(beginning = ""): StalledServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const stalled = (async () => {
    const connection = await listener.accept();
    connections.push(connection);
    await connection.read(new Uint8Array(64 * 1024));
    await connection.write(new TextEncoder().encode(beginning));
  })();
  return {
    endpoint: `http://127.0.0.1:${listener.addr.port}`,
    stalled,
    [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) connection.close();
      return Promise.resolve();
    },
  };
}

/** A server of another protocol: whatever it is sent, it answers with these bytes and hangs up. */
export function foreignServer(answer: Uint8Array<ArrayBuffer>): Server {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(64 * 1024));
      await connection.write(answer);
      connection.close();
    }
  })();
  return {
    endpoint: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** A server that closes the connection of the first request, and sends `answer` to the second. */
export function hangUpOnce(answer: string): Server {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for (const text of ["", answer]) {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(64 * 1024));
      await connection.write(new TextEncoder().encode(text));
    }
  })();
  return {
    endpoint: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving.catch(() => {});
    },
  };
}

/** The URL of a server that is not there. */
export function unreachableEndpoint(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `http://127.0.0.1:${listener.addr.port}`;
}
