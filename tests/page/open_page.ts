/**
 * The page in a real browser, and whatever goes wrong in it.
 *
 * @module
 */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { startChromium } from "../servers/chromium.ts";

/** How long something may take to be shown. */
const TIMEOUT_MS = 60_000;

/** A test with a browser; skipped, and said so, where there is none. */
export function browserTest(
  name: string,
  test: (browser: Browser) => Promise<void>,
  args: readonly string[] = [],
): void {
  // The driver of the browser keeps timers and pipes for itself.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false }, async () => {
    const browser = await startChromium(args);
    if (!browser) return;
    try {
      await test(browser);
    } finally {
      await browser.close();
    }
  });
}

/** The page of a server. */
export class OpenPage implements AsyncDisposable {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #problems: string[] = [];

  private constructor(context: BrowserContext, page: Page, origin: string) {
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on("console", (message) => {
      if (message.type() !== "log") this.#problems.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.#problems.push(`error: ${error.message}`));
    page.on("dialog", async (dialog) => {
      this.#problems.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== origin) this.#problems.push(request.url());
    });
  }

  /** Opens it, with the token as password. */
  static async open(
    browser: Browser,
    { origin, token }: { readonly origin: string; readonly token: string },
    options: BrowserContextOptions = {},
  ): Promise<OpenPage> {
    const httpCredentials = { username: "", password: token };
    const context = await browser.newContext({ httpCredentials, ...options });
    const opened = new OpenPage(context, await context.newPage(), origin);
    const response = await opened.page.goto(origin);
    assert.equal(response?.status(), 200);
    await opened.shows("#connection", "live");
    return opened;
  }

  /** Waits until a part of the page has this text in it. */
  async shows(selector: string, text: string | RegExp): Promise<void> {
    await this.page.locator(selector).filter({ hasText: text }).first().waitFor();
  }

  /** Waits until nothing matches. */
  async hides(selector: string): Promise<void> {
    await this.page.locator(selector).first().waitFor({ state: "hidden" });
  }

  /** Presses a button. */
  async press(name: string | RegExp): Promise<void> {
    await this.page.getByRole("button", { name }).first().click();
  }

  /** Fails if anything has gone wrong, or came from elsewhere; forgets it, too. */
  assertFlawless(expected: readonly RegExp[] = []): void {
    const problems = this.#problems.splice(0);
    const unexpected = problems.filter((problem) => !expected.some((some) => some.test(problem)));
    assert.deepEqual(unexpected, []);
  }

  /** Fails if somebody could not use it. */
  async assertAccessible(): Promise<void> {
    await this.page.evaluate(axe.source);
    const { violations, passes } = await this.page.evaluate("axe.run()") as axe.AxeResults;
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
    assert.deepEqual(found, []);
    assert.ok(passes.length > 10, `${passes.length} rules were checked`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
