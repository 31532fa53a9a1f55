/**
 * Reads a consumer of the local API, as another program on the machine does; tells, after it has
 * acknowledged them, how many lines it has had, and when.
 */
import process from "node:process";
import type { ApiAddress } from "../client.ts";
import { now } from "../rivals/clock.ts";

/** It acknowledges by the thousand. */
const LINES = 1000;

const { address, token } = JSON.parse(process.argv[2]) as ApiAddress;
const consumer = `http://${address}/v1/consumers/reader`;

await request("PUT", "", { from: "now" });
console.log(JSON.stringify({ lines: 0, at: now() }));
for (;;) {
  const text = await request("GET", `/updates?limit=${LINES}&wait=25s`);
  const lines = text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  if (lines.length === 0) continue;
  const at = now();
  await request("POST", "/ack", { cursor: lines.at(-1).cursor });
  console.log(JSON.stringify({ lines: lines.length, at }));
}

async function request(method: string, path: string, value?: unknown): Promise<string> {
  const response = await fetch(consumer + path, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: value === undefined ? null : JSON.stringify(value),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}
