/**
 * A real browser, for tests of the page.
 *
 * With `FEEDSYNC_TEST_CHROMIUM=required` its absence is an error.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Browser, LaunchOptions } from "playwright-core";

const SCRIPT = fileURLToPath(new URL("./chromium.sh", import.meta.url));

/** Where Debian puts it. */
const PATH = "/usr/bin/chromium";

/** Starts it; `undefined`, and a line that says so, where there is none. */
export async function startChromium(args: readonly string[] = []): Promise<Browser | undefined> {
  if (await isChromiumInstalled()) {
    const { chromium } = await import("playwright-core");
    return await chromium.launch(launchOptions(args));
  }
  if (Deno.env.get("FEEDSYNC_TEST_CHROMIUM") === "required") {
    throw new Error(`Cannot test the page: ${PATH} is missing`);
  }
  console.log(`skipped: the page (${PATH} is missing; \`deno task test:page\` installs it)`);
}

function launchOptions(args: readonly string[]): LaunchOptions {
  // For root, and in containers, Chromium refuses to start with its sandbox.
  const isRoot = Deno.uid() === 0;
  return {
    executablePath: PATH,
    args: [...args, "--disable-dev-shm-usage", ...isRoot ? ["--no-sandbox"] : []],
  };
}

/** Whether it can be started. */
export async function isChromiumInstalled(): Promise<boolean> {
  try {
    return (await Deno.stat(PATH)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Installs it on Debian. */
export async function installChromium(): Promise<void> {
  const { success } = await new Deno.Command(SCRIPT, { args: ["install"] }).spawn().status;
  if (!success) throw new Error("Cannot install Chromium, see above");
}
