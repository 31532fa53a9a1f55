/** Subscribes with a contender, and reports each batch; ends when nobody is there to read that. */
import process from "node:process";
import { Arrivals } from "../rivals/arrivals.ts";
import { CONTENDERS } from "../rivals/contenders.ts";
import { messages, type ProgramInput, programInput, READY, tell } from "../rivals/messages.ts";

const { contender: name, address, index } = programInput<ProgramInput>();
const contender = await CONTENDERS[name]();
const arrivals = new Arrivals();
await contender.subscribe(address, index!, (update) => {
  const report = arrivals.note(update);
  if (report) tell(report);
});
tell(READY);
for await (const _ of messages());
process.exit();
