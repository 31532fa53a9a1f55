/** A client that a generator makes of `/openapi.json` has the right types, and works. */
import assert from "node:assert/strict";
import { join } from "node:path";
import openapiTS, { astToString } from "openapi-typescript";
import { packageImports, ROOT } from "../library/package_imports.ts";
import { runDeno } from "../run_deno.ts";
import { ApiUnderTest, TOKEN } from "./server.ts";

const PROGRAM = `
import createClient from "openapi-fetch";
import type { paths, components } from "./schema.ts";

const client = createClient<paths>({
  baseUrl: Deno.args[0],
  headers: { Authorization: "Bearer " + Deno.args[1] },
});

const update: components["schemas"]["UpdateInput"] = { url: "https://example.com/a", content: "a" };
const { data: receipt, error } = await client.POST("/v1/updates", {
  params: { query: { ifChanged: true } },
  body: update,
});
if (error) throw new Error(error.error.message);
if (receipt === undefined || Array.isArray(receipt)) throw new Error("No receipt");
const status: "published" | "queued" | "unchanged" | "disabled" = receipt.status;

const made = await client.PUT("/v1/consumers/{name}", {
  params: { path: { name: "me" } },
  body: { from: "newest", own: true },
});
const cursor: string | undefined = made.data?.cursor;

const { data: turns } = await client.POST("/v1/due", {
  body: { urls: ["https://example.com/b"], every: "15m" },
});
const isDue: boolean | undefined = turns?.[0].due;

const wrong = await client.POST("/v1/checked", { body: { url: "nowhere" } });
const name: string | undefined = wrong.error?.error.name;

// @ts-expect-error A consumer begins somewhere.
await client.PUT("/v1/consumers/{name}", { params: { path: { name: "x" } }, body: { own: true } });
// @ts-expect-error There is no such path.
await client.GET("/v1/nothing", {});

console.log(JSON.stringify({ status, hasCursor: cursor !== undefined, isDue, name }));
`;

Deno.test("a generated client type-checks and works", async () => {
  await using server = await ApiUnderTest.start();
  const description = await (await fetch(`${server.origin}/openapi.json`)).json();
  const types = astToString(await openapiTS(description));
  const directory = await Deno.makeTempDir();
  try {
    const { imports } = JSON.parse(await Deno.readTextFile(join(ROOT, "tests", "deno.json")));
    const config = { imports: { ...packageImports(), "openapi-fetch": imports["openapi-fetch"] } };
    await Deno.writeTextFile(join(directory, "deno.json"), JSON.stringify(config));
    await Deno.writeTextFile(join(directory, "schema.ts"), types);
    await Deno.writeTextFile(join(directory, "client.ts"), PROGRAM);
    await runDeno(["check", "client.ts"], directory);
    const printed = await runDeno(["run", "-A", "client.ts", server.origin, TOKEN], directory);
    assert.deepEqual(JSON.parse(printed), {
      status: "published",
      hasCursor: true,
      isDue: true,
      name: "InvalidUpdateError",
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
