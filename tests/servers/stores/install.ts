/**
 * Installs services for tests, once, in a cache of the user: each in a directory of its own.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Package, Registry, StoreRow } from "./table.ts";

/** How packages of a registry are installed. */
interface Installer {
  /** A command that succeeds where this machine has what it takes. */
  readonly probe: readonly [string, ...string[]];
  /** Installs the package in `directory`. */
  install(what: Package, directory: string): Promise<void>;
}

/** The registries. */
const INSTALLERS: Readonly<Record<Registry, Installer>> = {
  "npm": {
    probe: ["npm", "--version"],
    install: ({ name, version }, directory) =>
      run("npm", "install --no-audit --no-fund --prefix", [directory, `${name}@${version}`]),
  },
  "PyPI": {
    probe: ["python3", "-c", "import ensurepip, venv"],
    async install({ name, version, with: others = [] }, directory) {
      await run("python3", "-m venv", [directory]);
      await run(`${directory}/bin/pip`, "install --quiet", [`${name}==${version}`, ...others]);
    },
  },
  "Maven Central": {
    probe: ["mvn", "--version"],
    async install({ name, version }, directory) {
      const project = `${directory}/pom.xml`;
      await Deno.writeTextFile(project, projectWith(name, version));
      const options = ["-DincludeScope=runtime", `-DoutputDirectory=${directory}/lib`];
      await run("mvn", "-q -B dependency:copy-dependencies -f", [project, ...options]);
    },
  },
  "Go": {
    probe: ["go", "version"],
    install: ({ name, version }, directory) =>
      run("go", "install", [`${name}@${version}`], { GOBIN: directory }),
  },
  "crates.io": {
    probe: ["cargo", "--version"],
    install: ({ name, version, features = "" }, directory) =>
      run("cargo", "install --locked", [
        ...["--root", directory, "--features", features],
        `${name}@${version}`,
      ]),
  },
};

/** A project that has this dependency, with its other dependencies in the versions that it names. */
function projectWith(name: string, version: string): string {
  const [group, artifact] = name.split(":");
  const dependency = (more = "") =>
    `<dependencies><dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>` +
    `<version>${version}</version>${more}</dependency></dependencies>`;
  return "<project><modelVersion>4.0.0</modelVersion><groupId>feedsync</groupId>" +
    "<artifactId>store</artifactId><version>1</version><dependencyManagement>" +
    `${dependency("<type>pom</type><scope>import</scope>")}</dependencyManagement>` +
    `${dependency()}</project>`;
}

/**
 * Installs the service unless it is there, and returns the directory that has it.
 *
 * @throws {Error} when this machine lacks what it takes, or the registry does not have it.
 */
export async function install(name: string, { package: what }: StoreRow): Promise<string> {
  const directory = join(cache(), `${name}-${what.version}`);
  const mark = join(directory, ".installed"); // An installation that was cut short begins anew.
  if (existsSync(mark)) return directory;
  const { probe, install } = INSTALLERS[what.registry];
  if (!await succeeds(probe)) {
    throw new Error(`${what.registry} requires \`${probe.join(" ")}\`, which fails here`);
  }
  if (existsSync(directory)) await Deno.remove(directory, { recursive: true });
  await Deno.mkdir(directory, { recursive: true });
  await install(what, directory);
  await Deno.writeTextFile(mark, "");
  return directory;
}

async function succeeds([command, ...args]: Installer["probe"]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function cache(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? ".", ".cache");
  return join(home, "feedsync-test-stores");
}

/** Runs a program with these words and further arguments. */
async function run(
  program: string,
  words: string,
  further: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const command = [program, ...words.split(" "), ...further];
  // Building takes all there is: what else runs here goes first.
  const { success } = await new Deno.Command("nice", {
    args: ["-n", "15", ...command],
    env,
    stdout: "null",
  }).spawn().status;
  if (!success) throw new Error(`\`${command.join(" ")}\` failed, see above`);
}
