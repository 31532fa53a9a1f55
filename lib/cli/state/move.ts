/**
 * Has a state go with its store to another place.
 *
 * @module
 */
import { resolveConfig } from "../../config/resolve.ts";
import { connectionOf } from "../../connection.ts";
import { StateError } from "../../errors.ts";
import { type LackingOptions, whatIsLacking } from "../../reading/lacking.ts";
import { connectToLookUp } from "../lookup.ts";
import { logger } from "../settings.ts";
import { type ActionContext, openAlone } from "./context.ts";
import { queueText } from "./text.ts";

/** Moves the state to the store in the configuration, if that holds what the state knows. */
export async function move(context: ActionContext): Promise<void> {
  const { path, settings, report } = context;
  await using sync = await connectToLookUp(settings);
  if (!sync.enabled) return;
  const { log } = connectionOf(sync).parts!;
  const { url: store, service } = log;
  const config = resolveConfig(settings.config, settings);
  using state = openAlone(path, config);
  const former = { store: state.fact("store"), service: state.fact("service") };
  const isThere = former.store === store && former.service === service;
  if (!isThere) {
    await checkStore(context, { state, log, retentionMs: config.retention });
    state.moveTo({ store, service });
  }
  const server = String(state.fact("server")), queued = state.queued();
  const place = `${store}${service === undefined ? "" : ` at ${service}`}`;
  await report(
    { state: path, server, store, service, former, queued },
    isThere
      ? `${server} is in ${place} already`
      : `${server} moved to ${place}: ${queueText(queued)}`,
  );
}

async function checkStore(
  { path, args, signal }: ActionContext,
  store: Omit<LackingOptions, "signal">,
): Promise<void> {
  const { log } = store;
  const lacking = await whatIsLacking({ ...store, signal });
  if (lacking.length === 0) return;
  const found = lacking.join("; ");
  if (args.has("incomplete")) {
    logger.warn("Moving although {store} lacks something: {found}", { store: log.url, found });
    return;
  }
  throw new StateError(
    `Cannot move the state ${path} to ${log.url}, which lacks something that was in its store: ` +
      `${found}. Copy everything there while no server writes, and run this again; --incomplete ` +
      "gives up what is lacking",
  );
}
