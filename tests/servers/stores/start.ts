/**
 * Starts services of the table, and finds the one that tests run against.
 *
 * @module
 */
import { join } from "node:path";
import { freePort } from "../ports.ts";
import { startServer } from "../process.ts";
import { type Keys, type StoreRow, STORES } from "./table.ts";

/** A service that tests run against. */
export interface StoreServer extends Keys {
  /** Its name. */
  readonly name: string;
  /** Its URL. */
  readonly endpoint: string;
  /** Its region. */
  readonly region: string;
  /** Tests that it is known not to pass, by their names, and why. */
  readonly except: Readonly<Record<string, string>>;
  /** Why it takes more requests than S3 does. */
  readonly extraRequests: string | undefined;
}

/** The service that `deno task test:stores` has started; undefined when the tests run without. */
export function namedStore(): StoreServer | undefined {
  const [name, endpoint] = Deno.env.get("FEEDSYNC_TEST_STORE")?.split(" ") ?? [];
  return name === undefined ? undefined : describe(name, endpoint);
}

/** What {@linkcode namedStore} reads. */
export function environmentFor({ name, endpoint }: StoreServer): Record<string, string> {
  return { FEEDSYNC_TEST_STORE: `${name} ${endpoint}` };
}

/** Starts the service that is installed in `program`, with no objects. */
export async function startStore(
  name: string,
  program: string,
): Promise<StoreServer & AsyncDisposable> {
  const row = STORES[name];
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: `feedsync-${name}-` });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const place = { program, directory, port: freePort() };
  for (const [file, text] of Object.entries(row.files?.(place) ?? {})) {
    await Deno.writeTextFile(join(directory, file), text);
  }
  const server = describe(name, `http://127.0.0.1:${place.port}`);
  const [command, ...args] = row.command(place);
  stack.use(await startServer(command, args, () => answers(server.endpoint)));
  const running = stack.move();
  return { ...server, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Whether requests are answered; before a service is complete it may have its own failures. */
async function answers(endpoint: string): Promise<boolean> {
  try {
    const answer = await fetch(endpoint, { redirect: "manual" });
    await answer.body?.cancel();
    return answer.status < 500;
  } catch {
    return false;
  }
}

function describe(name: string, endpoint: string): StoreServer {
  const { accessKeyId, secretAccessKey, except = {}, extraRequests }: StoreRow = STORES[name];
  return {
    name,
    endpoint,
    region: "us-east-1",
    accessKeyId,
    secretAccessKey,
    except,
    extraRequests,
  };
}
