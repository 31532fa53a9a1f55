/**
 * Checks whether everything that a server needs is right.
 *
 * @module
 */
import { systemEnvironment } from "./base/environment.ts";
import { CHECKS, findingsOf } from "./check/checks.ts";
import { loadLeniently } from "./check/configuration.ts";
import { type Finding, unchecked, wrong } from "./check/finding.ts";
import { Subject, type SubjectOptions } from "./check/subject.ts";
import type { Config } from "./config/config.ts";
import { resolveConfig, type ResolvedConfig } from "./config/resolve.ts";
import type { ConnectConfig, ConnectOptions } from "./connect.ts";

/** Options of {@linkcode check}. */
export interface CheckOptions extends ConnectOptions {
  /** Whether to write and read an object of 8 MiB, too. @default false */
  readonly thorough?: boolean | undefined;
  /** Aborts the checks. */
  readonly signal?: AbortSignal | undefined;
}

/** Something that {@linkcode check} found. */
export interface CheckFinding extends Finding {
  /** Name of the check, such as `rights`. */
  readonly check: string;
}

/**
 * Checks whether everything that a server with this configuration needs is right: the
 * configuration itself, the store and the rights there, the state, keys, peers, the local API, feed
 * files and plugins. What is wrong does not end it: it goes on with all that can still be looked at.
 *
 * It writes one object to the store, which wakes nobody, and deletes it. It changes nothing else,
 * and sets no plugin up.
 *
 * @example
 * ```ts
 * import { check } from "@feedsync/feedsync";
 *
 * const store = `file:${await Deno.makeTempDir()}`; // or "s3://bucket/prefix"
 * for await (const { check: name, level, what, advice } of check({ store, server: "web-1" })) {
 *   if (level === "error" || level === "warning") console.error(name, what, advice);
 * }
 * ```
 *
 * @throws {unknown} the reason of `signal`, when that is aborted.
 */
export async function* check<const Inputs extends readonly unknown[] = readonly unknown[]>(
  config: ConnectConfig<Inputs> = {},
  { signal = new AbortController().signal, thorough, ...options }: CheckOptions = {},
): AsyncGenerator<CheckFinding> {
  signal.throwIfAborted();
  const { value, error } = await loadLeniently((changes) =>
    resolveConfig({ ...config as Config, ...changes }, options)
  );
  if (error) yield { check: "configuration", ...wrong(error) };
  if (value) yield* checkAll(value, { signal, isThorough: thorough });
  else yield* withoutConfiguration();
}

/** What is left when there is no configuration: nothing is checked. */
export function* withoutConfiguration(): Iterable<CheckFinding> {
  for (const { name } of CHECKS.filter(({ name }) => name !== "configuration")) {
    yield { check: name, ...unchecked(name, "the configuration cannot be used") };
  }
}

async function* checkAll(
  config: ResolvedConfig,
  options: Omit<SubjectOptions, "environment">,
): AsyncGenerator<CheckFinding> {
  const environment = systemEnvironment;
  await using subject = await Subject.open(config, { environment, ...options });
  for (const check of CHECKS) {
    for await (const finding of findingsOf(check, subject)) {
      yield { check: check.name, ...finding };
    }
  }
}
