/** Prints when something came. */
import { now } from "../rivals/clock.ts";
import { programInput } from "../rivals/messages.ts";

Deno.serve({
  hostname: "127.0.0.1",
  port: programInput<number>(),
  onListen: () => console.log(now()),
}, async (request) => {
  await request.bytes();
  console.log(now());
  return new Response(null, { status: 204 });
});
