/**
 * The command line: `feedsync help` tells what it can do.
 *
 * @module
 */
import { main } from "./lib/cli/main.ts";

// Plugins may leave timers behind: the process ends with the command all the same.
if (import.meta.main) Deno.exit(await main(Deno.args));
