/**
 * `feedsync demo`: shows three servers on this machine that keep in step.
 *
 * @module
 */
import { FeedSyncError } from "../../errors.ts";
import type { Arguments, CommandContext } from "../command.ts";
import { report } from "./report.ts";
import { sampleFeeds } from "./sample_feeds.ts";
import { Stage } from "./stage.ts";
import { viewFor } from "./view.ts";
import { UsageError } from "../exit.ts";

/**
 * Runs the demo, on a terminal at a pace that people can follow.
 *
 * @throws {FeedSyncError} when a server did not apply every update exactly in order.
 */
export async function run({ args, signal }: CommandContext): Promise<void> {
  refuseSettings(args);
  const { show, onLog, notice, pace } = viewFor(args);
  const flags = args.has("verbose") ? ["--verbose"] : [];
  await using stage = await Stage.open({ signal, show, onLog, notice, flags, pace });
  await play(stage);
  const status = await stage.status();
  await stage.stop();
  const { web1, web2, web3, saved } = stage;
  const result = report(saved, web1, [web2, web3]);
  await show({ event: "result", ...result });
  await show({ event: "status", ...status });
  if (!result.ok) {
    throw new FeedSyncError("The demo failed: not every server applied every update in order");
  }
}

async function play(stage: Stage): Promise<void> {
  const { web1, web2, web3 } = stage;
  const { weather, harbour, stars } = sampleFeeds;

  await stage.act("Three servers start. They share a store, and nothing else");
  await stage.start(web1, web2, web3);

  await stage.act("Three feeds are saved in the directory of web-1");
  for (const feed of [weather, harbour, stars]) {
    await stage.save(feed, 0);
    await stage.applied(web2, web3);
  }

  await stage.act("One of them changes");
  await stage.save(weather, 1);
  await stage.applied(web2, web3);

  await stage.act("web-3 is killed with SIGKILL, and web-1 goes on publishing");
  await stage.kill(web3);
  for (const edition of [1, 2]) {
    for (const feed of [harbour, stars]) {
      await stage.save(feed, edition);
      await stage.applied(web2);
    }
  }

  await stage.act("web-3 starts again and catches up");
  await stage.start(web3);
  await stage.applied(web3);

  await stage.act("All three are in step again");
  for (const edition of [2, 3]) {
    await stage.save(weather, edition);
    await stage.applied(web2, web3);
  }
}

/** Refuses flags that the demo does not support. */
function refuseSettings(args: Arguments): void {
  const given = ["config", "server", "store", "state"].find((name) => args.value(name));
  if (given !== undefined) {
    throw new UsageError(
      `Cannot use --${given} with demo: its servers and their store are in a temporary directory`,
    );
  }
}
