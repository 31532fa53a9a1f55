/** Publishes through the local API, as another program on the machine does; tells how long it took. */
import process from "node:process";
import { createInterface } from "node:readline";
import type { ApiAddress } from "../client.ts";
import { timed } from "../measure.ts";
import { samples, sampleUpdate } from "../sample.ts";

const { address, token } = JSON.parse(process.argv[2]) as ApiAddress;

for await (const line of createInterface({ input: process.stdin })) {
  const { updates } = JSON.parse(line) as { updates: number };
  const given = updates === 1 ? sampleUpdate() : samples(updates);
  console.log(JSON.stringify({ ms: await timed(() => post(given)) }));
}

async function post(updates: unknown): Promise<void> {
  const response = await fetch(`http://${address}/v1/updates`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(updates),
  });
  if (response.status !== 201) throw new Error(await response.text());
  await response.json();
}
