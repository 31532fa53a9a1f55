/**
 * The command line: `feedsync help` tells what it can do.
 *
 * @module
 */
import { main } from "./lib/cli/main.ts";

/** In a bundle, all modules are JavaScript. */
const isBundled = Deno.mainModule.endsWith(".js");

// Plugins may leave timers behind: the process ends with the command all the same.
if (import.meta.main) {
  const load = (module: string) => import(isBundled ? module.replace(/\.ts$/, ".js") : module);
  Deno.exit(await main(Deno.args, load));
}
