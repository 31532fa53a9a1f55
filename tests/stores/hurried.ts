import { type Environment, systemEnvironment } from "../../lib/base/environment.ts";

const { clock } = systemEnvironment;

/** The machine's time, but waits of up to a second end at once. */
export const hurried: Environment = {
  ...systemEnvironment,
  clock: {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    setTimer: (ms, callback) => clock.setTimer(ms <= 1000 ? 0 : ms, callback),
  },
};
