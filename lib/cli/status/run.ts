/**
 * `feedsync status`: shows the servers that share a bucket.
 *
 * @module
 */
import { suggest } from "../../base/nearest.ts";
import { sleep, systemEnvironment } from "../../base/environment.ts";
import { messageOf, StoreUnavailableError } from "../../errors.ts";
import type { FleetStatus } from "../../fleet/status/fleet_status.ts";
import { status } from "../../status.ts";
import type { CommandContext } from "../command.ts";
import { BadInputError } from "../exit.ts";
import { connectToLookUp } from "../lookup.ts";
import { printJson } from "../output.ts";
import { loadSettings, logger } from "../settings.ts";
import type { Line } from "./lines.ts";
import { heading, overview, problemLines } from "./overview.ts";
import { Screen } from "./screen.ts";
import { serverView } from "./server_view.ts";

/** Delay between two looks with `--watch`. */
const REFRESH_MS = 5000;

/** Shows the status once, or again and again; resolves to the exit code. */
export async function run({ args, signal }: CommandContext): Promise<number> {
  const settings = await loadSettings(args);
  await using sync = await connectToLookUp(settings);
  if (!sync.enabled) return 0;
  const [name] = args.operands, isQuiet = args.has("quiet");
  const read = async () => about(await status(sync, { signal }), name);
  const screen = new Screen();
  const render = (status: FleetStatus, columns: number): Line[] => {
    if (isQuiet) return isUrgent(status) ? [...heading(status), ...problems(status, columns)] : [];
    const cost = { store: sync.store, endpoint: settings.config.s3?.endpoint };
    return name === undefined ? overview(status, columns) : serverView(status, columns, cost);
  };
  const show = (status: FleetStatus) =>
    args.has("json") ? printJson(status) : screen.show((columns) => render(status, columns));
  if (args.has("watch")) {
    await refresh(async () => {
      const status = await read();
      screen.startOver();
      await show(status);
    }, signal);
    return 0;
  }
  const shown = await read();
  await show(shown);
  return isUrgent(shown) ? 1 : 0;
}

/** Looks again and again until it is stopped. A store that cannot be reached is awaited. */
async function refresh(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await look();
    for (;;) {
      await sleep(systemEnvironment.clock, REFRESH_MS, signal);
      await look().catch((error) => {
        if (signal.aborted || !isPassing(error)) throw error;
        logger.warn("{message}", { message: messageOf(error) });
      });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof StoreUnavailableError || error instanceof BadInputError;
}

function isUrgent({ problems }: FleetStatus): boolean {
  return problems.some(({ severity }) => severity === "problem");
}

/** What needs a person, without notes. */
function problems({ problems }: FleetStatus, columns: number): Line[] {
  return problemLines(problems.filter(({ severity }) => severity === "problem"), columns);
}

/**
 * What concerns the server of this name; everything without a name.
 *
 * @throws {BadInputError} when there is no such server.
 */
function about(status: FleetStatus, name: string | undefined): FleetStatus {
  if (name === undefined) return status;
  const servers = status.servers.filter(({ server }) => server === name);
  if (servers.length === 0) {
    const names = [...new Set(status.servers.map(({ server }) => server))];
    throw new BadInputError(
      `No server called "${name}" is seen in ${status.store} (those that were stopped are not ` +
        `shown), ${suggest(name, names)}`,
    );
  }
  return {
    ...status,
    servers,
    problems: status.problems.filter((p) => p.servers.includes(name)),
    consumers: status.consumers.filter(({ server }) => server === name),
  };
}
