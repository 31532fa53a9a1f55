/** The alerts and the metrics that they look at, checked with Prometheus' own tool. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "../library/package_imports.ts";
import { ApiUnderTest } from "./server.ts";

const ALERTS = join(ROOT, "docs", "alerts.yml");
const PAGE = Deno.readTextFileSync(join(ROOT, "docs", "metrics.md"));

/** Runs `promtool`, which must find nothing; where it is not installed, says so. */
async function promtool(args: readonly string[], stdin = ""): Promise<void> {
  try {
    const process = new Deno.Command("promtool", {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    await new Blob([stdin]).stream().pipeTo(process.stdin).catch(() => {}); // It may not read.
    const { success, stdout, stderr } = await process.output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.ok(success, `promtool ${args.join(" ")}: ${out}${err}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("skipped: promtool is not installed, which is in Debian's package prometheus");
  }
}

/** What `/metrics` answers once everything was counted. */
async function allMetrics(): Promise<string> {
  await using server = await ApiUnderTest.start({ watching: true });
  await server.post("/v1/updates", { url: "https://example.com/a", content: "a" });
  await server.send("PUT", "/v1/consumers/me", { from: "now" });
  return (await server.get("/metrics")).text;
}

Deno.test("metrics are as Prometheus wants them", async () => {
  await promtool(["check", "metrics"], await allMetrics());
});

Deno.test("the alerts are valid, and fire when something is wrong, and only then", async () => {
  await promtool(["check", "rules", ALERTS]);
  await promtool(["test", "rules", join(import.meta.dirname!, "alerts.yml")]);
});

Deno.test("the alerts look at metrics that there are, and the page tells of all of them", async () => {
  const metrics = new Map(
    [...(await allMetrics()).matchAll(/^# HELP (\w+) (.*)$/gm)].map((
      [, name, help],
    ) => [name, help]),
  );
  const used = (await Deno.readTextFile(ALERTS)).matchAll(/\bfeedsync_\w+/g);
  for (const [name] of used) assert.ok(metrics.has(name), `${name} is no metric`);
  const rows = [...PAGE.matchAll(/^\| `(feedsync_\w+)` \| (?:.*) \| (.*) \|$/gm)];
  assert.deepEqual(
    rows.map(([, name, help]) => [name, help]).toSorted(),
    [...metrics].toSorted(),
  );
});

Deno.test("the configuration that the page gives to Prometheus is valid", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const [, config] = PAGE.match(/```yaml\n(.*?)```/s)!;
    await Deno.copyFile(ALERTS, join(directory, "alerts.yml"));
    await Deno.writeTextFile(join(directory, "prometheus.yml"), config);
    await promtool(["check", "config", "--syntax-only", join(directory, "prometheus.yml")]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
