/**
/**
 * Which file a command is, and whether it can be run. When the interpreter of a script or the dynamic loader of a
 * program is missing, the system only reports "no such file", as if the file itself were missing.
 *
 * @module
 */
import { delimiter, resolve } from "node:path";
import { ELF, loaderOf } from "./elf.ts";
import { ConfigError } from "../errors.ts";

const WINDOWS = Deno.build.os === "windows";

/** How much of the first line counts: as much as on Linux. */
const MAX_FIRST_LINE_BYTES = 256;

/** An interpreter may be a script as well, as deeply nested as on Linux. */
const MAX_INTERPRETERS = 4;

/**
 * The absolute path of what runs as `command`: what has a slash in it is looked up from `directory`, where it
 * will run, anything else in `PATH`.
 *
 * @example
 * ```ts
 * import { findExecutable } from "@feedsync/feedsync/plugin";
 *
 * const sh = await findExecutable("sh", Deno.cwd());
 * await new Deno.Command(sh, { args: ["-c", "true"] }).output();
 * ```
 *
 * @throws {ConfigError} when there is no such file, it cannot run, or it needs a permission.
 */
export async function findExecutable(command: string, directory: string): Promise<string> {
  for (const file of candidates(command, directory)) {
    if (!await isExecutable(file)) continue;
    const { state } = await Deno.permissions.query({ name: "run", command: file });
    if (state !== "granted") {
      throw new ConfigError(`Cannot run ${file}: it needs --allow-run=${file}`);
    }
    const problem = await findInterpreterProblem(file, directory);
    if (problem !== undefined) throw new ConfigError(`Cannot run ${file}: ${problem}`);
    return file;
  }
  const inPath = !/[/\\]/.test(command);
  const where = inPath ? "in PATH" : `at ${resolve(directory, command)}`;
  throw new ConfigError(`Cannot run ${JSON.stringify(command)}: no executable file ${where}`);
}

/**
 * What keeps a file from being run in `directory` that could be run before, such as when
 * {@linkcode findExecutable} found it; undefined when nothing is known to.
 *
 * @example
 * ```ts
 * import { findExecutableProblem } from "@feedsync/feedsync/plugin";
 * import assert from "node:assert/strict";
 *
 * const problem = await findExecutableProblem("/gone.sh", Deno.cwd());
 * assert.equal(problem, "it is not there any more, or not executable");
 * ```
 */
export async function findExecutableProblem(
  file: string,
  directory: string,
): Promise<string | undefined> {
  const stat = await Deno.stat(directory).catch(() => undefined);
  if (!stat?.isDirectory) return `the directory ${directory} is not there`;
  if (!await isExecutable(file)) return "it is not there any more, or not executable";
  return await findInterpreterProblem(file, directory);
}

/** The executable files that a command may stand for, in the order in which they are looked for. */
function* candidates(command: string, directory: string): Iterable<string> {
  const isPath = /[/\\]/.test(command);
  const places = isPath ? [directory] : (Deno.env.get("PATH") ?? "").split(delimiter);
  const names = WINDOWS ? [command, `${command}.exe`] : [command];
  for (const place of places) {
    for (const name of names) yield resolve(directory, place, name);
  }
}

/** Whether it is a file that may be executed. */
async function isExecutable(file: string): Promise<boolean> {
  try {
    const { isFile, mode } = await Deno.stat(file);
    return isFile && (mode === null || (mode & 0o111) !== 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

/** What text editors of Windows put at the beginning of a file, as latin1. */
const BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

/**
 * What is wrong with the interpreter that the first line of a script names, `#!/bin/sh` or
 * `#!/usr/bin/env python3`, or with the dynamic loader of a program; undefined when it is there, when the
 * file names none, or when that cannot be found out. `directory` is where the script will run.
 */
async function findInterpreterProblem(
  script: string,
  directory: string,
): Promise<string | undefined> {
  if (WINDOWS) return undefined;
  try {
    return await problemOf(script, directory);
  } catch {
    return undefined; // Perhaps it may be executed, but not be read.
  }
}

async function problemOf(script: string, directory: string): Promise<string | undefined> {
  let file = script;
  for (let depth = 0; depth < MAX_INTERPRETERS; depth++) {
    const line = await firstLine(file);
    if (line.startsWith(ELF)) return await loaderProblem(file, directory);
    if (line.startsWith(`${BYTE_ORDER_MARK}#!`)) {
      const path = JSON.stringify(file);
      return `its first line is hidden by a byte order mark; remove it: sed -i '1s/^...//' ${path}`;
    }
    const [, interpreter, rest] = /^#![ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
    if (!interpreter) return undefined;
    const place = resolve(directory, interpreter);
    if (!await mayRead(place)) return undefined;
    if (!await isExecutable(place)) return missing(file, interpreter, "it is not there");
    const command = /\/env$/.test(interpreter) ? commandOfEnv(rest) : undefined;
    if (command !== undefined && !await isThere(command, directory)) {
      return missing(file, command, "it is not in PATH");
    }
    file = place;
  }
  return undefined;
}

/** What is wrong with the dynamic loader of a program of this machine's kind. */
async function loaderProblem(file: string, directory: string): Promise<string | undefined> {
  const loader = await loaderOf(file);
  if (loader === undefined) return undefined;
  const place = resolve(directory, loader);
  if (!await mayRead(place) || await isExecutable(place)) return undefined;
  return `it needs the dynamic loader ${
    JSON.stringify(loader)
  }, which is not there: it was built for ` +
    "another system or C library";
}

/** Linux hands `env` all that follows as one argument, unless it is told to split it with `-S`. */
function commandOfEnv(rest: string): string | undefined {
  const split = /^(?:-\w*S|--split-string=)\s*(.*)$/s.exec(rest)?.[1];
  if (split === undefined) return rest === "" || rest.startsWith("-") ? undefined : rest;
  return split.split(/[ \t]+/).find((word) => !/^-|=/.test(word));
}

/** Nobody is asked for a permission to find out what runs anyway. */
async function mayRead(path: string): Promise<boolean> {
  return (await Deno.permissions.query({ name: "read", path })).state === "granted";
}

async function isThere(command: string, directory: string): Promise<boolean> {
  for (const file of candidates(command, directory)) {
    if (!await mayRead(file) || await isExecutable(file)) return true;
  }
  return false;
}

function missing(script: string, interpreter: string, reason: string): string {
  const named = `its first line has it run by ${JSON.stringify(interpreter)}: `;
  if (interpreter.endsWith("\r")) {
    return `${named}its lines end in CR LF, as on Windows; convert it: sed -i 's/\\r$//' ${
      JSON.stringify(script)
    }`;
  }
  if (/[ \t]/.test(interpreter)) return `${named}${reason}; use env -S to pass arguments`;
  return named + reason;
}

/** The first line, as far as it matters; it may be in any encoding. */
async function firstLine(file: string): Promise<string> {
  using opened = await Deno.open(file);
  const buffer = new Uint8Array(MAX_FIRST_LINE_BYTES);
  const length = await opened.read(buffer) ?? 0;
  const text = new TextDecoder("latin1").decode(buffer.subarray(0, length));
  return text.split("\n", 1)[0];
}
