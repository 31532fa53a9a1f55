/**
 * Runs a command for each update. It gets the JSON that `feedsync tail` prints on standard input
 * and these variables in its environment: `FEEDSYNC_URL`, `FEEDSYNC_ID`, `FEEDSYNC_ORIGIN` (the
 * server that published it), `FEEDSYNC_TIME`, `FEEDSYNC_STREAM`, `FEEDSYNC_SEQ`,
 * `FEEDSYNC_SUPERSEDED`, `FEEDSYNC_REMOVED` and `FEEDSYNC_RESTORED` (these three `true` or `false`;
 * a superseded update must not overwrite a newer one, and a restored one may have been delivered
 * before). The rest of its environment is that of feedsync, including secrets.
 *
 * What its exit code means:
 *
 * - 0: done.
 * - 65 (`EX_DATAERR`): it does not want this update, which becomes a dead letter.
 * - 69 (`EX_UNAVAILABLE`) and 75 (`EX_TEMPFAIL`): it cannot do its work now. Reading waits until it
 *   can, as it does while the command cannot be started.
 * - Anything else: the call failed and is tried again, as with every plugin that throws.
 *
 * What it prints goes to the log. When the call takes longer than `callbackTimeout` the command,
 * and what it started, is sent SIGTERM, and SIGKILL a second later.
 *
 * | option | default | |
 * |---|---|---|
 * | `command` | required | the command and its arguments; no shell is involved |
 * | `concurrency` | 1 | number of commands that may run at a time for the feeds of one publisher, at most 64; above 1, order holds per feed only |
 *
 * The command runs in the directory of the configuration file, and a command with a `/` is looked
 * up from there; others are looked up in `PATH`.
 *
 * @example In feedsync.json
 * ```json
 * { "plugins": [["exec", { "command": ["./import-feed.sh", "--quick"] }]] }
 * ```
 *
 * @module
 */
import {
  type AnyPlugin,
  BackendUnavailableError,
  definePlugin,
  RejectedUpdateError,
  type Update,
  updateToJson,
} from "@feedsync/feedsync";
import {
  findExecutable,
  findExecutableProblem,
  messageOf,
  shownUrl,
} from "@feedsync/feedsync/plugin";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

const REJECTED_CODE = 65;
const UNAVAILABLE_CODES = [69, 75];
const KILL_GRACE_MS = 1_000;
const DRAIN_GRACE_MS = 200;
const OUTPUT_CHARACTERS = 2_000;
const WINDOWS = Deno.build.os === "windows";

/** Options of the plugin `exec`. */
export interface ExecOptions {
  /** The command and its arguments; no shell is involved. */
  readonly command: readonly [command: string, ...args: string[]];
  /**
   * Number of commands that may run at a time for the feeds of one publisher: 1 to 64.
   * @default {1}
   */
  readonly concurrency?: number | undefined;
}

/** The plugin `exec`, for `connect` and `watch` in programs. */
const exec: AnyPlugin<ExecOptions> = definePlugin({
  name: "exec",
  options: z.strictObject({
    command: z.tuple([z.string().min(1)], z.string()),
    concurrency: z.int().min(1).max(64).default(1),
  }),
  concurrency: ({ concurrency }) => concurrency,
  async setup({ options, directory }) {
    const [command, ...args] = options.command;
    // A wrong name should not turn up with the first update.
    return { command: await findExecutable(command, directory), args };
  },
  async onUpdate(update, { state: { command, args }, directory, logger, signal }) {
    signal.throwIfAborted();
    const environment = variables(update);
    let child: Deno.ChildProcess;
    try {
      child = spawn(command, args, directory, environment);
    } catch (cause) {
      throw await startFailure(command, directory, cause);
    }
    const stopWaiting = killWhenAborted(child, signal);
    const { status, output } = await finish(child, JSON.stringify(updateToJson(update)) + "\n");
    stopWaiting();
    if (status.success && output !== "") logger.info(output);
    if (status.success) return;
    signal.throwIfAborted();
    const end = status.signal ? `was ended by ${status.signal}` : `exited with ${status.code}`;
    const message = `${command} ${end} for ${shownUrl(update.url)}: ${
      output || "it printed nothing"
    }`;
    if (UNAVAILABLE_CODES.includes(status.code)) throw new BackendUnavailableError(message);
    throw status.code === REJECTED_CODE ? new RejectedUpdateError(message) : new Error(message);
  },
});
export default exec;

/**
 * `FEEDSYNC_SERVER` is a setting of feedsync, which the command may call itself: hence the origin.
 */
function variables(update: Update): Record<string, string> {
  const { server: origin, id, url, time, stream, seq, superseded } = update;
  const { removed = false, restored = false } = update;
  const named = { id, url, origin, time, stream, seq, superseded, removed, restored };
  const values = Object.entries(named)
    .map(([name, value]) => [`FEEDSYNC_${name.toUpperCase()}`, String(value)]);
  const [name, value] = values.find(([, value]) => value.includes("\0")) ?? [];
  if (name === undefined) return Object.fromEntries(values);
  throw new RejectedUpdateError(
    `Cannot pass a NUL character to a command: ${name} is ${JSON.stringify(value)}`,
  );
}

/** Makes the command the leader of a process group, so that all of it can be ended. */
function spawn(command: string, args: string[], cwd: string, env: Record<string, string>) {
  const stdio = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(command, { args, cwd, env, detached: !WINDOWS, ...stdio }).spawn();
}

/** The update is to blame only when it makes the environment too long: its URL is in it. */
async function startFailure(command: string, cwd: string, cause: unknown): Promise<Error> {
  const problem = await findExecutableProblem(command, cwd) ?? messageOf(cause);
  const message = `Cannot run ${command}: ${problem}`;
  const isTooLong = cause instanceof Error && "code" in cause && cause.code === "E2BIG";
  return isTooLong ? new Error(message) : new BackendUnavailableError(message, { cause });
}

/** Returns what ends the watch over `signal`. */
function killWhenAborted(child: Deno.ChildProcess, signal: AbortSignal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    kill(child, "SIGTERM");
    timer = setTimeout(() => kill(child, "SIGKILL"), KILL_GRACE_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  };
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal) {
  try {
    Deno.kill(WINDOWS ? child.pid : -child.pid, signal);
  } catch {
    // It has just ended.
  }
}

/**
 * Waits for the end of the command, and for the last of what it printed. Pipes that are still open
 * then belong to something left in the background. That the command has not read its input is fine.
 */
async function finish(child: Deno.ChildProcess, input: string) {
  let output = "";
  const closing = new AbortController();
  const collect = async (stream: ReadableStream<BufferSource>) => {
    const texts = stream.pipeThrough(new TextDecoderStream(), closing);
    for await (const text of texts) output = (output + text).slice(-OUTPUT_CHARACTERS);
  };
  const pipes = Promise.allSettled([
    new Blob([input]).stream().pipeTo(child.stdin, closing),
    collect(child.stdout),
    collect(child.stderr),
  ]);
  const status = await child.status;
  const grace = sleep(DRAIN_GRACE_MS, undefined, closing).catch(() => {});
  await Promise.race([pipes, grace]);
  closing.abort();
  return { status, output: output.trim() };
}
