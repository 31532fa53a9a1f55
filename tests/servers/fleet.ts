/**
 * Servers that share a directory as the store, each a `feedsync watch` with an API.
 *
 * @module
 */
import { join } from "node:path";
import { workspace } from "../cli/feedsync.ts";
import { Running } from "../cli/running.ts";
import type { Config } from "../../lib/config/config.ts";
import { freeAddress } from "./ports.ts";

/** How servers are started. */
export interface FleetOptions {
  /** Files in their directory. */
  readonly files?: Record<string, string>;
  /** Their configuration. */
  readonly config?: Config;
  /** When they are killed. @default after a minute */
  readonly safetyNetMs?: number;
}

/** One of the servers. */
export class ServerProcess implements AsyncDisposable {
  readonly name: string;
  readonly address: string = freeAddress();
  readonly #home: string;
  readonly #options: FleetOptions;
  #process: Running | undefined;

  constructor(name: string, home: string, options: FleetOptions = {}) {
    this.name = name;
    this.#home = home;
    this.#options = options;
  }

  /** Starts it, at the address that it always has. */
  async start(): Promise<void> {
    const file = `${this.name}.json`, { config, safetyNetMs } = this.#options;
    await Deno.writeTextFile(
      join(this.#home, file),
      JSON.stringify({
        server: this.name,
        poll: "100ms",
        plugins: [],
        ...config,
        api: { listen: this.address, ...config?.api },
      }),
    );
    const process = new Running(["watch", "--config", file], { cwd: this.#home, safetyNetMs });
    this.#process = process;
    await process.says(/Serving the API/);
    process.says(/^$/).catch(() => {}); // Otherwise it stands still once the pipe is full.
  }

  async kill(): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    this.#process = undefined;
  }

  get token(): string {
    return Deno.readTextFileSync(join(this.#home, ".feedsync", `${this.name}.token`)).trim();
  }

  /** Sends a request to the API. */
  async request(
    method: string,
    path: string,
    { body, type = "application/json" }: { readonly body?: string; readonly type?: string } = {},
  ): Promise<string> {
    const response = await fetch(`http://${this.address}${path}`, {
      method,
      body,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...body !== undefined && { "content-type": type },
      },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text;
  }

  /** Keeps a copy of the state, of a server that does not run. */
  async backUp(): Promise<void> {
    for (const name of await this.#stateFiles()) {
      await Deno.copyFile(join(this.#home, ".feedsync", name), join(this.#home, name));
    }
  }

  /** Puts the copy of the state back, of a server that does not run. */
  async restore(): Promise<void> {
    const names = await this.#stateFiles();
    for (const name of names) await Deno.remove(join(this.#home, ".feedsync", name));
    for await (const { name } of Deno.readDir(this.#home)) {
      if (!name.startsWith(`${this.name}.db`)) continue;
      await Deno.copyFile(join(this.#home, name), join(this.#home, ".feedsync", name));
    }
  }

  async #stateFiles(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(join(this.#home, ".feedsync")));
    return entries.filter(({ isFile }) => isFile).map(({ name }) => name)
      .filter((name) => name.startsWith(`${this.name}.db`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Servers in a directory of their own. */
export interface TestFleet extends AsyncDisposable {
  readonly path: string;
  readonly servers: ServerProcess[];
}

/** Starts servers in a directory of their own. */
export async function startFleet(
  names: readonly string[],
  options: FleetOptions = {},
): Promise<TestFleet> {
  const home = await workspace(options.files);
  const servers = names.map((name) => new ServerProcess(name, home.path, options));
  await Promise.all(servers.map((server) => server.start()));
  return {
    path: home.path,
    servers,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server.kill();
      await home[Symbol.asyncDispose]();
    },
  };
}
