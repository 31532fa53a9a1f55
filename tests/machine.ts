/** Machines on which the pages of the documentation about operating feedsync are followed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { feedsync, type Outcome, workspace } from "./cli/feedsync.ts";
import { Running } from "./cli/running.ts";
import { ROOT } from "./library/package_imports.ts";

/** A page of the documentation: the returned function tells what a section has in blocks of shell. */
export async function sectionsOf(page: string): Promise<(heading: string) => string[]> {
  const text = await Deno.readTextFile(join(ROOT, "docs", page));
  return (heading) => {
    const section = text.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
    assert.ok(section, heading);
    return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text);
  };
}

/**
 * A machine with the service `feedsync`, whose program is `bin/feedsync`. Other machines are directories, too:
 * `scp` copies there.
 */
export class Machine implements AsyncDisposable {
  /** What the service says when it has every feed. */
  ready = /Complete: \d+ feed/;
  readonly #place: AsyncDisposable & { path: string };
  readonly #services: Deno.HttpServer<Deno.NetAddr>;
  #watch: Running | undefined;

  private constructor(place: AsyncDisposable & { path: string }) {
    this.#place = place;
    this.#services = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#control(new URL(request.url).pathname.slice(1)),
    );
  }

  /** With this configuration, and the program in the directory `root`. */
  static async make(config: Record<string, unknown> = {}, root = ROOT): Promise<Machine> {
    const place = await workspace({
      "feedsync.json": JSON.stringify({ server: "web-1", store: "file:store", ...config }, null, 2),
    });
    const machine = new Machine(place);
    const { port } = machine.#services.addr;
    await Deno.mkdir(machine.path("bin"));
    await machine.install("feedsync", root);
    await machine.#program("systemctl", `exec curl -fsS "http://127.0.0.1:${port}/$1"`);
    await machine.#program("scp", 'for last; do :; done; cp -p "${@:1:$#-1}" "${last#*:}"');
    return machine;
  }

  /** The path of a file of this machine. */
  path(...names: string[]): string {
    return join(this.#place.path, ...names);
  }

  /** Makes the program in the directory `root` an executable. */
  async install(name: string, root: string): Promise<void> {
    const cli = `"${Deno.execPath()}" run -A --config "${root}/deno.json" "${root}/cli.ts"`;
    await this.#program(name, `exec ${cli} "$@"`);
  }

  /** Runs the program. */
  async feedsync(args: string[], stdin?: string): Promise<Outcome> {
    const program = this.path("bin/feedsync");
    return await feedsync(args, { cwd: this.path(), program, stdin });
  }

  /** Runs a block of the page, in which the places are other ones here. */
  async run(block: string, places: Record<string, string> = {}): Promise<string> {
    let script = block;
    for (const [place, here] of Object.entries(places)) script = script.replaceAll(place, here);
    const { success, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-euo", "pipefail", "-c", script],
      cwd: this.path(),
      env: {
        PATH: `${this.path("bin")}:${Deno.env.get("PATH")}`,
        ...{ NO_COLOR: "1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
        AWS_DEFAULT_REGION: "us-east-1",
      },
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.ok(success, `${script}\n${out}${err}`);
    return out;
  }

  /** Publishes an update; resolves to its stream. */
  async publish(content: string): Promise<unknown> {
    const args = ["publish", `https://example.com/${content}`, "-", "--json"];
    const { code, stderr, json } = await this.feedsync(args, content);
    assert.equal(code, 0, stderr);
    return json()[0].stream;
  }

  /** Publishes while the directory with the store is none. */
  async queue(content: string, store = this.path("store")): Promise<void> {
    const away = `${store}-away`;
    await Deno.mkdir(store, { recursive: true });
    await Deno.rename(store, away);
    await Deno.writeTextFile(store, "");
    const args = ["publish", `https://example.com/${content}`, "-"];
    const { stderr } = await this.feedsync(args, content);
    assert.match(stderr, /1 update is queued and safe/);
    await Deno.remove(store);
    await Deno.rename(away, store);
  }

  /** Stops the service after it has read and uploaded everything; returns what it has said. */
  async stop(): Promise<string> {
    const watch = this.#watch!;
    this.#watch = undefined;
    watch.kill("SIGTERM");
    const { code, stdout, stderr } = await watch.end();
    assert.ok([0, 143].includes(code), stderr);
    return stdout + stderr;
  }

  /** Starts the service, and waits until it has every feed. */
  async start(): Promise<void> {
    const program = this.path("bin/feedsync");
    this.#watch = new Running(["watch"], { cwd: this.path(), program });
    await this.#watch.says(this.ready);
  }

  /** What all servers have published, as another one reads it. */
  async published(): Promise<{ content: unknown; server: unknown }[]> {
    const args = ["tail", "--once", "--server", "reader", "--state", "reader.db"];
    const { code, stderr, json } = await feedsync(args, { cwd: this.path() });
    assert.equal(code, 0, stderr);
    return json().map(({ content, server }) => ({ content, server }));
  }

  /** The contents of that, without duplicates. */
  async contents(): Promise<unknown[]> {
    return [...new Set((await this.published()).map(({ content }) => content))].sort();
  }

  /** What `state show` tells. */
  async state(...args: string[]): Promise<Record<string, unknown>> {
    const { code, stderr, json } = await this.feedsync(["state", "show", "--json", ...args]);
    assert.equal(code, 0, stderr);
    return json()[0];
  }

  async #control(action: string): Promise<Response> {
    if (action === "start") await this.start();
    else if (this.#watch) await this.stop();
    return new Response();
  }

  async #program(name: string, script: string): Promise<void> {
    await Deno.writeTextFile(this.path("bin", name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch?.[Symbol.asyncDispose]();
    await this.#services.shutdown();
    await this.#place[Symbol.asyncDispose]();
  }
}
