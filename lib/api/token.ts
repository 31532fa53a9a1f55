/**
 * The token that requests must carry: loopback is every user of the machine.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import { linkDurably, writeDurably } from "../base/durable_file.ts";
import { ConfigError, messageOf } from "../errors.ts";
import { missing } from "../config/rules.ts";
import { ApiError } from "./errors.ts";

const logger = getLogger(["feedsync", "api"]);

/** A token shorter than this can be guessed. */
const MIN_CHARACTERS = 16;

/** Chromium asks only if `Basic` comes first, and what follows looks like parameters of it. */
const CHALLENGES = 'Basic realm="feedsync", charset="UTF-8", Bearer realm="feedsync"';

/** Where a token is kept. */
export interface TokenPlace {
  /** Path of the state, or `:memory:`. */
  readonly state: string;
  /** The group that may read the file. */
  readonly gid: number | undefined;
}

/** The file with the token of the server that has this state. */
export function tokenFile(state: string): string {
  return `${state.replace(/\.db$/, "")}.token`;
}

/**
 * Reads the token beside the state; makes one at the first start.
 *
 * @throws {ConfigError} when the file cannot be read or written, or holds no token.
 */
export async function openToken({ state, gid }: TokenPlace): Promise<string> {
  if (state === ":memory:") {
    throw missing("api.token", "without a state file there is no place for a token of its own");
  }
  const path = tokenFile(state);
  try {
    return await readToken(path) ?? await makeToken(path, gid);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`Cannot use the token ${path}: ${messageOf(cause)}`, { cause });
  }
}

async function readToken(path: string): Promise<string | undefined> {
  try {
    const token = (await Deno.readTextFile(path)).trim();
    if (token.length >= MIN_CHARACTERS) return token;
    throw new ConfigError(
      `Cannot use the token ${path}: it has less than ${MIN_CHARACTERS} characters; remove the ` +
        "file, then a new one is made",
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Writes a token, unless another process has done so meanwhile. */
async function makeToken(path: string, gid: number | undefined): Promise<string> {
  const token = crypto.getRandomValues(new Uint8Array(32)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
  const unfinished = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  await writeDurably(unfinished, new TextEncoder().encode(`${token}\n`), { mode: 0o600 });
  try {
    if (gid !== undefined) await Deno.chown(unfinished, null, gid);
    if (Deno.build.os !== "windows") await Deno.chmod(unfinished, 0o640);
    await linkDurably(unfinished, path);
    logger.info("The token for the API is in {path}", { path });
    return token;
  } catch (error) {
    const made = error instanceof Deno.errors.AlreadyExists ? await readToken(path) : undefined;
    if (made !== undefined) return made;
    throw error;
  } finally {
    await Deno.remove(unfinished);
  }
}

/** Checks the token of requests. */
export class TokenCheck {
  readonly #hash: Uint8Array | undefined;

  /** Requests must carry `token`; `false`: none. */
  constructor(token: string | false) {
    this.#hash = token === false ? undefined : hashed(token);
  }

  /**
   * Refuses requests without the token.
   *
   * @throws {ApiError} with what to do.
   */
  check(headers: Headers): void {
    if (!this.#hash) return;
    const given = givenToken(headers.get("authorization"));
    // Hashes have the same length, whatever was given: comparing them tells nothing by its time.
    if (given !== undefined && timingSafeEqual(hashed(given), this.#hash)) return;
    const problem = given === undefined ? "The token is missing" : "The token is wrong";
    throw new ApiError(401, {
      name: "UnauthorizedError",
      message: `${problem}: send it as "Authorization: Bearer TOKEN"`,
      headers: { "WWW-Authenticate": CHALLENGES },
    });
  }
}

/** The token in `Authorization: Bearer`, or the password in `Basic`. */
function givenToken(header: string | null): string | undefined {
  const [, scheme, value] = /^(Bearer|Basic) +(\S+) *$/i.exec(header ?? "") ?? [];
  if (scheme === undefined || scheme.toLowerCase() === "bearer") return value;
  try {
    const [, password] = /^[^:]*:(.*)$/s.exec(atob(value)) ?? [];
    return password;
  } catch {
    return undefined;
  }
}

function hashed(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
