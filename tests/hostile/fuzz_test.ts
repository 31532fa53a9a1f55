import { check, PROPERTIES } from "./fuzz/run.ts";

/** For all properties together; `deno task fuzz` takes longer. */
const SECONDS = Number(Deno.env.get("FEEDSYNC_TEST_FUZZ_SECONDS") ?? "20");

for (const property of PROPERTIES) {
  Deno.test(`no attacker breaks what holds for ${property.name}`, async () => {
    console.log(`${await check(property, { seconds: SECONDS })} cases`);
  });
}
