import assert from "node:assert/strict";
import { startServer } from "./process.ts";

Deno.test("a server is ready when it has said so, and ends when it is disposed of", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const script =
      `echo ready; trap 'touch ${directory}/ended; exit' TERM; while :; do sleep 0.05; done`;
    await (await startServer("sh", ["-c", script], "ready"))[Symbol.asyncDispose]();
    assert.ok((await Deno.stat(`${directory}/ended`)).isFile);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a server that ends before it is ready is told with what it printed", async () => {
  const starting = startServer("sh", ["-c", "echo no port; exit 1"], "ready");
  await assert.rejects(starting, { message: "Cannot start sh: no port" });
});
