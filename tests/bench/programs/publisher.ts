/** Publishes with a contender what it is told to; ends when nobody is there to tell it. */
import process from "node:process";
import { timed } from "../measure.ts";
import { now } from "../rivals/clock.ts";
import { CONTENDERS } from "../rivals/contenders.ts";
import {
  type Bare,
  type Command,
  messages,
  type ProgramInput,
  programInput,
  type Published,
  READY,
  tell,
} from "../rivals/messages.ts";
import { samples } from "../sample.ts";

const { contender: name, address } = programInput<ProgramInput>();
const contender = await CONTENDERS[name]();
const publisher = await contender.publisher(address);
let published = 0;
tell(READY);
for await (const command of messages<Command>()) {
  tell("bare" in command ? await bare(command.bare) : await publishAll(command));
}
process.exit();

/** Each task publishes one update after the other. */
async function publishAll({ count, tasks }: { count: number; tasks: number }): Promise<Published> {
  const updates = samples(count).values();
  const end = published + count;
  const task = async () => {
    for (const update of updates) {
      const n = ++published;
      const metadata = { n, at: now(), isLast: n === end };
      await publisher.publish({ ...update, metadata });
    }
  };
  const began = now();
  await Promise.all(Array.from({ length: tasks }, task));
  return { began, ended: now() };
}

async function bare(count: number): Promise<Bare> {
  const times: number[] = [];
  if (!publisher.bare) return { times };
  for (let i = 0; i < count; i++) times.push(await timed(() => publisher.bare!()));
  return { times };
}
